"""Judges Arrow IPC streams with pyarrow, for arrow_ipc_oracle_test.cpp.

    import                    exit code 0 when pyarrow can be used
    describe FILE             types and values, one column a line
    rewrite IN OUT CODEC      reads and checks everything, writes it again (codec lz4 or none)
"""
import sys

import pyarrow as pa
import pyarrow.ipc


def read(path):
    with pa.OSFile(path) as file, pa.ipc.open_stream(file) as reader:
        batches = list(reader)
        for batch in batches:
            batch.validate(full=True)
        assert file.read() == b"", "bytes behind the end of the stream"
        return reader.schema, batches


def describe(path):
    schema, batches = read(path)
    table = pa.Table.from_batches(batches, schema)
    for field, column in zip(schema, table.columns):
        logical = (field.metadata or {}).get(b"tipple:type", b"").decode()
        print(field.name, field.type, logical, [str(value) for value in column.to_pylist()])


def rewrite(source, target, codec):
    schema, batches = read(source)
    options = pa.ipc.IpcWriteOptions(compression=None if codec == "none" else codec)
    with pa.OSFile(target, "wb") as file, pa.ipc.new_stream(file, schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command != "import":
        {"describe": describe, "rewrite": rewrite}[command](*arguments)
