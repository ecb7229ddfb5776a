"""Reading and writing golden cases: values that JSON does not have, and a layout that diffs well."""
import base64
import datetime as dt
import json
import uuid
from decimal import Decimal

WIDTH = 160


def _wei(text):
    from dlt.common.wei import Wei

    return Wei(text)


READERS = {
    "$decimal": Decimal,
    "$datetime": dt.datetime.fromisoformat,
    "$date": dt.date.fromisoformat,
    "$time": dt.time.fromisoformat,
    "$bytes": base64.b64decode,
    "$uuid": uuid.UUID,
    "$wei": _wei,
    "$double": float,
}


def from_typed(value):
    """`{"$decimal": "1.50"}` and the like become values."""
    if isinstance(value, dict):
        if len(value) == 1:
            name, text = next(iter(value.items()))
            if name in READERS:
                return READERS[name](text)
        return {key: from_typed(member) for key, member in value.items()}
    return [from_typed(member) for member in value] if isinstance(value, list) else value


def to_typed(value):
    """The other way round; what JSON has stays as it is."""
    if isinstance(value, dict):
        return {key: to_typed(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [to_typed(member) for member in value]
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, dt.datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, dt.date):
        return {"$date": value.isoformat()}
    if isinstance(value, dt.time):
        return {"$time": value.isoformat()}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, uuid.UUID):
        return {"$uuid": str(value)}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"$double": str(value)}
    return value


def _layout(value, indent, prefix):
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent + prefix <= WIDTH or not isinstance(value, (dict, list)) or not value:
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        lines = []
        for key, member in value.items():
            head = json.dumps(key, ensure_ascii=False) + ": "
            lines.append(pad + head + _layout(member, indent + 1, len(head)))
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(pad + _layout(member, indent + 1, 0) for member in value) + "\n" + " " * indent + "]"


def case_text(case):
    lines = []
    for key, value in case.items():
        head = " " + json.dumps(key) + ": "
        if key in ("runs", "expect"):
            lines.append(head + "[\n" + ",\n".join("  " + _layout(entry, 2, 0) for entry in value) + "\n ]")
        else:
            lines.append(head + _layout(value, 1, len(head)))
    # Lone surrogates cannot be written as UTF-8; as escapes they can.
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    return "".join(f"\\u{ord(c):04x}" if 0xD800 <= ord(c) <= 0xDFFF or c in "\u2028\u2029\x85" else c for c in text)


def dump_case(case, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write(case_text(case))
