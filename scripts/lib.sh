# Shared by the scripts of this folder. Sourced, not run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps="$root/.deps"
cd "$root"

say() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }

# step "what" command...: says what is done, does it, and says how long it took.
step() {
    local what=$1 start=${EPOCHREALTIME/[.,]/}
    shift
    say "$what"
    "$@"
    local tenths=$(((${EPOCHREALTIME/[.,]/} - start) / 100000))
    printf '   (took %d.%d s)\n' $((tenths / 10)) $((tenths % 10)) >&2
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "error: installing packages needs root: run as root, or install sudo" >&2
        exit 1
    fi
}

# Debian and Ubuntu packages: compiler, libraries, tools. What tests need besides is below.
build_packages=(
    g++ cmake ninja-build pkg-config git ca-certificates python3 python3-pip python3-venv
    libsimdjson-dev libfmt-dev libspdlog-dev libcli11-dev libyaml-cpp-dev libtomlplusplus-dev libflatbuffers-dev
    libpq-dev libsqlite3-dev libcurl4-openssl-dev libpugixml-dev libssl-dev libxxhash-dev zlib1g-dev libzstd-dev liblz4-dev libbz2-dev liblzma-dev
    libgtest-dev libgmock-dev librapidcheck-dev libcpp-httplib-dev ccache mold
    postgresql pgbouncer
)
full_packages=(clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev libbenchmark-dev libpython3.11)

missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
    done
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    # npm fetches the DuckDB library and the demo's data. An npm that is there already, from whatever source, will do.
    command -v npm >/dev/null || missing+=(npm)
    [ ${#missing[@]} = 0 ] && return 0
    say "installing ${missing[*]}"
    as_root apt-get update -q >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}

# The Python packages that tests compare with, in an environment of their own.
python_env() {
    local requirements="$root/tests/requirements.txt" stamp="$deps/venv/requirements.txt"
    if ! cmp -s "$requirements" "$stamp"; then
        say "setting up the Python environment for tests"
        python3 -m venv "$deps/venv" >&2
        "$deps/venv/bin/pip" install -q --disable-pip-version-check -r "$requirements" >&2
        cp "$requirements" "$stamp"
    fi
    export TIPPLE_PYTHON="$deps/venv/bin/python"
}

# The reference, for live comparisons.
dlt_env() {
    local stamp="$deps/venv-dlt/requirements.txt" requirements="$root/tests/differential/requirements.txt"
    cmp -s "$requirements" "$stamp" && return 0
    python3 -m venv "$deps/venv-dlt" >&2
    "$deps/venv-dlt/bin/pip" install -q --disable-pip-version-check -r "$requirements" >&2
    cp "$requirements" "$stamp"
}

build() {
    local preset=$1
    shift
    cmake --preset "$preset" >&2
    cmake --build --preset "$preset" "$@" >&2
}
