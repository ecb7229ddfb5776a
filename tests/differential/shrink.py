"""Makes a case smaller while it still shows the same sort of difference."""
import copy

TESTS_MAX = 60


def places(value, path=()):
    """Every place of a document, large ones first."""
    yield path
    if isinstance(value, dict):
        for key, member in value.items():
            yield from places(member, (*path, key))
    elif isinstance(value, list):
        for i, member in enumerate(value):
            yield from places(member, (*path, i))


def find(document, path):
    for step in path:
        document = document[step]
    return document


def without(case, path):
    smaller = copy.deepcopy(case)
    holder = find(smaller, path[:-1])
    del holder[path[-1]]
    return smaller


def is_removable(path):
    """Names of things and the parts a case must have stay."""
    if not path:
        return False
    if path[0] == "pipeline":
        return len(path) > 1 and path[1] not in ("name", "dataset", "schema")
    if path[0] != "runs" or len(path) < 2:
        return False
    return not (path[-1] in ("name", "resources", "data", "pages") and len(path) in (3, 5))


def has_records(run):
    """A run without any leaves nothing behind, which is another matter."""
    return any(resource.get("data") or any(resource.get("pages", [])) or resource.get("items") or resource.get("jsonl") for resource in run.get("resources", []))


def shrink(case, still_differs):
    """The smallest case found with a bounded number of tests."""
    tests = 0
    changed = True
    while changed and tests < TESTS_MAX:
        changed = False
        # Large parts first; of a list from its end, so that the paths before it stay what they are.
        for path in sorted(filter(is_removable, places(case)), key=lambda path: (len(path), [-step if isinstance(step, int) else 0 for step in path])):
            if tests >= TESTS_MAX:
                break
            try:
                smaller = without(case, path)
            except (KeyError, IndexError, TypeError):
                continue
            if not smaller["runs"] or not all(map(has_records, smaller["runs"])):
                continue
            tests += 1
            if still_differs(smaller):
                case, changed = smaller, True
    return case
