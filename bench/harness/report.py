"""Turns results into text. Works on plain dictionaries as they are in the results file, so that old ones can be printed too."""
import statistics

from harness.environment import describe_machine

METRICS = {"wall": ("wall", "s"), "cpu": ("CPU", "s"), "peak": ("peak memory", "MiB")}
KEYS = {"wall": "wall", "cpu": "cpu", "peak": "peak_mib"}


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def number(value):
    if value is None:
        return "–"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def spread(runs, key):
    values = [run[key] for run in runs]
    if len(values) == 1:
        return number(values[0])
    return f"{number(statistics.median(values))} ({number(min(values))}..{number(max(values))})"


def verdict(runs):
    """The worst of the results."""
    for result in ("FAILED", "WRONG", "refused"):
        if any(run["result"] == result for run in runs):
            return result
    return "ok"


def contender_rows(workload):
    """[name, wall, its multiple of ours, CPU, its multiple of ours, peak, tree, database, result] as text, recorded figures last."""
    rows = []
    for name, runs in workload["contenders"].items():
        rows.append([name, spread(runs, "wall"), times_ours(workload, name, median(runs, "wall"), "wall"),
                     spread(runs, "cpu"), times_ours(workload, name, median(runs, "cpu"), "cpu"),
                     number(median(runs, "peak_mib")) if workload["watches_memory"] else "–",
                     number(median(runs, "tree_mib")) if workload["watches_memory"] else "–",
                     number(median(runs, "database_mb")), verdict(runs)])
    for name, (wall, cpu, peak) in stand_ins(workload).items():
        rows.append([name, number(wall), times_ours(workload, name, wall, "wall"), number(cpu), times_ours(workload, name, cpu, "cpu"), number(peak),
                     "–", "–", "recorded"])
    return rows


def times_ours(workload, name, value, key):
    """How many times as much as tipple takes, where both have done the work."""
    ours, theirs = workload["contenders"].get("tipple"), workload["contenders"].get(name)
    compared = [ours, *([theirs] if theirs else [])]
    if name == "tipple" or not value or not ours or any(verdict(runs) in ("FAILED", "refused") for runs in compared):
        return "–"
    own = median(ours, key)
    return f"{value / own:.1f}x" if own else "–"


def stand_ins(workload):
    """Recorded figures of contenders that did not run. None for quick data, which is smaller than what they are for."""
    if workload["is_quick"]:
        return {}
    return {name: values for name, values in workload["recorded"].items() if name not in workload["contenders"]}


def target_rows(workload):
    """[target, measured, met] as text."""
    ours = workload["contenders"].get("tipple")
    rows = []
    for target in workload["targets"]:
        metric, limit, against = target["metric"], target["limit"], target["against"]
        what, unit = METRICS[metric]
        if not against:
            text = f"{what} ≤ {limit * 1000:.0f} ms" if unit == "s" and limit < 1 else f"{what} ≤ {limit:g} {unit}"
        elif limit < 0.5:
            text = f"≥ {1 / limit:g}x less {what} than {against}"
        else:
            text = f"{what} ≤ {limit:g}x {against}"
        rows.append([text, *measured(workload, ours, metric, limit, against)])
    return rows


def measured(workload, ours, metric, limit, against):
    if not ours:
        return "–", "not run"
    state = verdict(ours)
    if state in ("FAILED", "WRONG"):
        return "–", f"no: {state}"
    value = median(ours, KEYS[metric])
    if not against:
        shown = f"{value * 1000:.1f} ms" if metric == "wall" and limit < 1 else f"{number(value)} {METRICS[metric][1]}"
        if state == "refused":
            shown += ", refused"
        return shown, "yes" if value <= limit else "NO"
    theirs = workload["contenders"].get(against)
    source = ""
    if theirs and verdict(theirs) != "FAILED":
        other = median(theirs, KEYS[metric])
    else:
        recorded = stand_ins(workload).get(against, (None, None, None))
        other = recorded[list(METRICS).index(metric)]
        source = " of recorded"
    if other is None or other == 0:
        return "–", "not compared"
    ratio = value / other
    shown = f"{1 / ratio:.1f}x" if limit < 0.5 else f"{ratio:.2f}x"
    return shown + source, "yes" if ratio <= limit else "NO"


def aligned(rows, indent="  "):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join((indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths))).rstrip() for row in rows)


CONTENDER_TITLES = ["contender", "wall s", "times ours", "CPU s", "times ours", "peak MiB", "tree MiB", "DB MB", "result"]
TARGET_TITLES = ["target", "measured", "met"]


def title(workload):
    data = workload["data"]
    return f"{workload['name']}: {data['file']}, {data['bytes'] / 1e6:,.1f} MB, {data['records']:,} records"


def workload_text(workload):
    parts = [title(workload), aligned([CONTENDER_TITLES, *contender_rows(workload)])]
    if workload["targets"]:
        parts.append(aligned([TARGET_TITLES, *target_rows(workload)]))
    for name, runs in workload["contenders"].items():
        for run in runs:
            parts += [f"  {name}: {run['result']}: {line}" for line in run["detail"][:5]]
            if run["detail"]:
                break
    noisy = max((run["others_cpu"] / run["wall"] for runs in workload["contenders"].values() for run in runs if run["wall"] > 0.1), default=0)
    if noisy > 0.1:
        parts.append(f"  noisy: other programs used up to {noisy:.1f} cores meanwhile; wall times mean little")
    return "\n".join(parts) + "\n"


def start_text(report):
    start = report.get("duckdb_start")
    if not start:
        return ""
    return (f"The start of the engine alone (Python, library, new file, a table of one row) takes {start['wall']:.3f} s wall and "
            f"{start['cpu']:.3f} s CPU. It is part of duckdb's figures.")


def head_text(report):
    lines = [describe_machine(report["machine"]), ", ".join(f"{name} {version}" for name, version in report["versions"].items())]
    if report["is_quick"]:
        lines.append("Quick: small data. Proves that everything works; the targets are for the full sizes.")
    return "\n".join([*lines, *filter(None, [start_text(report)])]) + "\n"


def markdown_row(cells):
    return "| " + " | ".join(cells) + " |"


def markdown_text(report):
    """The tables of docs/benchmarks.md."""
    lines = [f"Measured {report['started'][:10]} on {describe_machine(report['machine'])}.",
             "Versions: " + ", ".join(f"{name} {version}" for name, version in report["versions"].items()) + ".", start_text(report)]
    if report["is_quick"]:
        lines.append("**Small data: these are not results.**")
    lines += ["", markdown_row(["workload", *TARGET_TITLES]), "|---|---|---|---|"]
    for workload in report["workloads"]:
        lines += [markdown_row([workload["name"], *row]) for row in target_rows(workload)]
    lines += ["", "Seconds: median (minimum..maximum). \"recorded\": measured earlier on another quiet 2-core machine.", "",
              markdown_row(["workload", "runs", *CONTENDER_TITLES]), "|---|---|---|---|---|---|---|---|---|---|---|"]
    for workload in report["workloads"]:
        for row in contender_rows(workload):
            runs = str(len(workload["contenders"].get(row[0], [])) or "–")
            lines.append(markdown_row([workload["name"], runs, *row]))
    return "\n".join(lines) + "\n"
