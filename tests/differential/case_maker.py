"""Makes random golden cases (without `expect`) from a seed. What they avoid, and why, is in known.py."""
import copy
import random

import known
from values import (BASE64_TEXTS, EMPTY_KEYS, FLOATS, HOSTILE_KEYS, INTEGERS, NEAR_KEYS, NUMBER_TEXTS, OTHER_DATE_TEXTS, TIMESTAMP_TEXTS, TYPED, WORDS)

FOCUSES = ("nested", "types", "names", "hints", "contracts", "merge", "loads", "cursors")
DATA_TYPES = ["text", "bigint", "double", "bool", "timestamp", "date", "time", "decimal", "binary", "json", "wei"]
NAMINGS = ["snake_case", "direct", "duck_case", "sql_cs_v1", "sql_ci_v1"]
MODES = ["evolve", "freeze", "discard_row", "discard_value"]


class CaseMaker:
    def __init__(self, seed, focus):
        self.random = random.Random(f"{seed}")
        self.focus = self.random.choice(FOCUSES) if focus == "all" else focus
        self.keys = self.make_keys()
        self.kinds = {}
        self.cursor_is_time = self.chance(0.4)

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, values):
        return copy.deepcopy(self.random.choice(values))

    # ---- records

    def make_keys(self):
        if self.focus == "names":
            keys = self.random.sample(HOSTILE_KEYS, 5) + self.random.sample(NEAR_KEYS, 2)
        elif self.focus in ("nested", "hints"):
            keys = self.random.sample(NEAR_KEYS, 5) + self.random.sample(HOSTILE_KEYS, 1)
        else:
            keys = self.random.sample(["a", "b", "c", "d", "eF", "g__h"], 4)
        if self.focus in ("nested", "names") and self.chance(0.2):
            keys.append(self.pick(EMPTY_KEYS))
        return keys

    def scalar(self):
        kind = self.random.random()
        if kind < 0.25:
            return self.pick(INTEGERS) if self.focus == "types" else self.random.randint(-3, 9)
        if kind < 0.37:
            return self.pick(FLOATS) if self.focus == "types" else self.random.choice([0.5, 1.0, 2.25])
        if kind < 0.47:
            return self.chance(0.5)
        if kind < 0.55:
            return None
        if kind < 0.65:
            return self.pick(TIMESTAMP_TEXTS)
        if self.focus != "types":
            return self.pick(WORDS)
        if kind < 0.72:
            return self.pick(OTHER_DATE_TEXTS)
        if kind < 0.84:
            return self.pick(NUMBER_TEXTS)
        if kind < 0.88:
            return self.pick(BASE64_TEXTS)
        if kind < 0.94:
            return self.pick(TYPED)
        return self.pick(WORDS)

    def steady_scalar(self, key):
        """Mostly one kind of value for a key, so that columns have a type that others then meet."""
        if key not in self.kinds:
            self.kinds[key] = self.random.choice([int, str, float, bool, None])
        kind = self.kinds[key]
        if kind is None or self.chance(0.25):
            return self.scalar()
        return {int: self.random.randint(0, 99), str: self.pick(WORDS[:10]), float: self.random.choice([0.5, 1.5]), bool: self.chance(0.5)}[kind]

    def value(self, depth, key=None):
        shape = self.random.random()
        deep = {"nested": 0.55, "names": 0.35, "hints": 0.4, "merge": 0.35, "contracts": 0.3, "loads": 0.3, "cursors": 0.1, "types": 0.12}[self.focus]
        if depth <= 0 or shape > deep:
            return self.scalar() if self.focus == "types" or self.chance(0.3) else self.steady_scalar(key)
        if shape < deep / 2:
            return self.record(depth - 1)
        return [self.value(depth - 1) if self.chance(0.5) else self.record(depth - 1) for _ in range(self.random.choice([0, 1, 1, 2, 3]))]

    def record(self, depth):
        count = self.random.choice([0, 1, 2, 2, 3, 3])
        keys = self.random.sample(self.keys, min(count, len(self.keys)))
        return {key: self.value(depth, key) for key in keys}

    def records(self, run, resource):
        depth = self.random.choice([2, 3, 4]) if self.focus in ("nested", "hints") else 2
        out = []
        for i in range(self.random.choice([0, 1, 2, 3, 3])):
            record = self.record(depth)
            if self.focus in ("merge", "contracts", "loads") or "primary_key" in resource:
                record = {"id": run * 2 + i if self.chance(0.95) else None, **record}
            if self.focus == "cursors":
                record = {"id": run * 2 + i, **self.cursor(run), **record}
                out.append(record)
                continue
            if self.chance(0.02):
                record = self.scalar()
            out.append(record)
        return out

    def cursor(self, run):
        """The cursor's field: mostly around the last value, seldom missing."""
        if self.chance(0.04):
            return {} if self.chance(0.5) else {"t": None}
        number = run * 2 + self.random.choice([-1, 0, 1, 1, 2, 2, 3])
        return {"t": f"2024-01-{number + 10:02}T00:00:00Z" if self.cursor_is_time else number}

    def incremental(self):
        options = {"cursor_path": "t"}
        if self.chance(0.3):
            options["initial_value"] = "2024-01-10T00:00:00Z" if self.cursor_is_time else 1
        if self.chance(0.2):
            options["last_value_func"] = "min"
        if self.chance(0.2):
            options["on_cursor_value_missing"] = self.pick(["include", "exclude"])
        if self.chance(0.2):
            options["lag"] = 86400 if self.cursor_is_time else 1
        if self.chance(0.15):
            options["range_start"] = "open"
        if self.chance(0.15):
            options["row_order"] = self.pick(["asc", "desc"])
        return options

    # ---- hints

    def column_hint(self):
        hint = {}
        if self.chance(0.8):
            hint["data_type"] = self.pick(DATA_TYPES)
        if hint.get("data_type") in ("timestamp",) and self.chance(0.3):
            hint["timezone"] = False
        if hint.get("data_type") == "decimal" and self.chance(0.3):
            hint.update({"precision": 18, "scale": 4})
        if self.chance(0.1):
            hint["nullable"] = self.chance(0.5)
        if self.chance(0.05):
            hint["x-note"] = "n"
        return hint or {"data_type": "text"}

    def columns(self):
        return {self.pick([key for key in self.keys if key.strip()]): self.column_hint() for _ in range(self.random.choice([1, 1, 2]))}

    def contract(self):
        if self.chance(0.2):
            return self.pick(["evolve", "freeze", "discard_value"])
        contract = {entity: self.pick(MODES) for entity in self.random.sample(["tables", "columns", "data_type"], self.random.choice([1, 2, 3]))}
        # dlt makes the other new columns and variants of a row that is left out, tipple does not.
        if "discard_row" in (contract.get("columns"), contract.get("data_type")):
            contract["data_type"] = "discard_value"
        return contract

    def settings(self):
        settings = {}
        if self.chance(0.4):
            settings["detections"] = self.pick([[], ["iso_timestamp", "iso_date"], ["iso_date"], ["large_integer"], ["iso_timestamp", "hexbytes_to_text"]])
        if self.chance(0.4):
            settings["preferred_types"] = {self.pick(["a", "re:^b", "re:c$", "value"]): self.pick(DATA_TYPES)}
        return settings

    def nested_hints(self):
        path = [self.pick(["a", "b", "c"]) for _ in range(self.random.choice([1, 1, 2]))]
        # Each level is declared: dlt knows no parent for a table below one that is not.
        hints = {name: {**hint, "name": name} for name, hint in self.columns().items()}
        return {"/".join(path[: i + 1]): {"columns": hints} for i in range(len(path))}

    def disposition(self):
        if self.focus == "merge":
            return self.pick(["merge", "merge", {"disposition": "merge", "strategy": "delete-insert"}])
        if self.focus == "cursors":
            return self.pick(["append", "append", "merge"])
        return self.pick(["append", "append", "replace"]) if self.focus == "loads" else "append"

    # ---- the case

    def resource(self, name):
        resource = {"name": name}
        disposition = self.disposition()
        if disposition != "append":
            resource["write_disposition"] = disposition
        if self.focus == "cursors":
            resource["incremental"] = self.incremental()
            if disposition == "merge" or self.chance(0.6):
                resource["primary_key"] = "id"
        elif self.focus == "merge":
            resource["primary_key"] = "id"
        elif self.focus == "hints" and self.chance(0.2):
            resource["primary_key"] = self.pick(["id", "ID", ["id"]])
        if self.focus == "types" and self.chance(0.6) or self.focus == "hints" and self.chance(0.6):
            resource["columns"] = self.columns()
        if self.focus in ("nested", "hints") and self.chance(0.3):
            resource["max_table_nesting"] = self.random.choice([0, 1, 1, 2, 2, 3])
        if self.focus == "contracts" and self.chance(0.6):
            resource["schema_contract"] = self.contract()
        if self.focus == "hints" and self.chance(0.2):
            resource["nested_hints"] = self.nested_hints()
        return resource

    def table_names(self):
        if self.focus == "names":
            return self.random.sample(["Items", "user events", "t", "A__B", "xML", "T-1"], self.random.choice([1, 2]))
        if self.focus in ("contracts", "hints"):
            return ["t"] if self.chance(0.7) else ["t", "u"]
        return ["t", "u", "v"][: 1 if self.focus == "cursors" else self.random.choice([1, 2, 3])]

    def pipeline(self):
        pipeline = {"name": "shop", "dataset": "data", "schema": "shop"}
        if self.focus == "names":
            if self.chance(0.5):
                pipeline["naming"] = self.pick(NAMINGS)
            if self.chance(0.4):
                pipeline["max_identifier_length"] = self.random.choice([24, 30, 40, 63])
        if self.focus in ("types", "hints") and self.chance(0.3):
            settings = self.settings()
            if settings:
                pipeline["settings"] = settings
        if self.focus in ("nested", "hints") and self.chance(0.2):
            pipeline["max_table_nesting"] = self.random.choice([0, 1, 2, 3])
        if self.focus in ("nested", "hints", "loads") and self.chance(0.1):
            pipeline["root_key"] = True
        return pipeline

    def run(self, number, resources):
        run = {"resources": []}
        for resource in resources:
            one = copy.deepcopy(resource)
            if self.focus == "contracts" and self.chance(0.3):
                one["schema_contract"] = self.contract()
            if self.focus == "hints" and number > 0 and self.chance(0.2):
                # Types of columns that are there are not hinted again: a change is refused by tipple, and by dlt or the database or not at all.
                one["columns"] = {key: {"x-note": "m"} for key in self.columns()}
            records = self.records(number, resource)
            if not run["resources"] and not records:
                records = [{"id": number}]
            if self.chance(0.15) and len(records) > 1:
                one["pages"] = [records[:1], records[1:]]
            else:
                one["data"] = records
            run["resources"].append(one)
        if self.focus == "contracts" and self.chance(0.15):
            run["run"] = {"schema_contract": self.contract()}
        elif self.focus == "contracts" and self.chance(0.2):
            run["source"] = {"schema_contract": self.contract()}
        if self.focus == "loads" and self.chance(0.15) and number > 0:
            run[self.pick(["new_process", "fresh_workdir"])] = True
        return run

    def make(self, name):
        resources = [self.resource(table) for table in self.table_names()]
        case = {"name": name, "about": f"Random case of {self.focus}.", "pipeline": self.pipeline(), "runs": []}
        for number in range(self.random.choice([1, 2, 2, 3])):
            case["runs"].append(self.run(number, resources))
        known.generate_around(case)
        return case


def make_case(seed, focus):
    """A case named after its seed. The same seed and focus give the same case."""
    return CaseMaker(seed, focus).make(f"fuzz-{focus}-{seed}")
