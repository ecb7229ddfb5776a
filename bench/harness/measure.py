"""Runs one command in a process tree of its own and measures it."""
import os
import signal
import threading
import time
from dataclasses import dataclass

TICK = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.02


@dataclass
class Measurement:
    exit_code: int
    wall: float
    user: float
    system: float
    peak_mib: float    # largest process: VmHWM
    tree_mib: float    # all processes together, sampled
    others_cpu: float  # what other programs of the machine used meanwhile, seconds
    load: float        # 1-minute load average just before
    output: str

    @property
    def cpu(self):
        return self.user + self.system


def processes_of(pid):
    """That one and all that descend from it."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        try:
            for thread in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{thread}/children") as file:
                    todo += [int(child) for child in file.read().split()]
        except OSError:
            pass
    return found


def _kib(path, field):
    try:
        with open(path) as file:
            return next((int(line.split()[1]) for line in file if line.startswith(field)), 0)
    except OSError:
        return 0


class Sampler:
    """Watches the memory of a process tree until it is stopped."""

    def __init__(self, pid):
        self.peak_kib = self.tree_kib = 0
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        pause = SAMPLE_SECONDS
        while not self._stop.wait(pause):
            start = time.monotonic()
            pids = processes_of(self._pid)
            for pid in pids:
                self.peak_kib = max(self.peak_kib, _kib(f"/proc/{pid}/status", "VmHWM"))
            if len(pids) == 1:
                total = _kib(f"/proc/{self._pid}/status", "VmRSS")
            else:
                # Pages that several processes share count once. Slow, as page tables are walked.
                total = sum(_kib(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in pids)
            self.tree_kib = max(self.tree_kib, total)
            # At most 2 % of one core goes into looking.
            pause = max(SAMPLE_SECONDS, 50 * (time.monotonic() - start))

    def stop(self):
        self._stop.set()
        self._thread.join()


def _busy_seconds():
    """CPU time that all programs of the machine have used so far."""
    with open("/proc/stat") as file:
        user, nice, system, _idle, _wait, irq, soft_irq = (int(x) for x in file.readline().split()[1:8])
    return (user + nice + system + irq + soft_irq) / TICK


def _kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(command, environment, log_path, timeout, watches_memory=True):
    """Its output goes to `log_path`; the last 20,000 characters come back."""
    open(log_path, "w").close()
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, log_path, os.O_WRONLY | os.O_APPEND, 0),
               (os.POSIX_SPAWN_DUP2, 1, 2)]
    load, busy = os.getloadavg()[0], _busy_seconds()
    start = time.perf_counter()
    # Not subprocess: a posix_spawn costs half a millisecond, of which little varies.
    pid = os.posix_spawn(command[0], command, environment, file_actions=actions, setpgroup=0)
    sampler = Sampler(pid) if watches_memory else None
    killer = threading.Timer(timeout, _kill_group, (pid,))
    killer.daemon = True
    killer.start()
    try:
        _, status, usage = os.wait4(pid, 0)
    finally:
        wall = time.perf_counter() - start
        killer.cancel()
        # Whatever it left behind, or all of it when we were interrupted.
        _kill_group(pid)
        if sampler:
            sampler.stop()
    others = _busy_seconds() - busy - usage.ru_utime - usage.ru_stime
    # The kernel's own figure misses no last moment, but it starts at the size of the program that spawned: ours.
    own = _kib("/proc/self/status", "VmHWM")
    peak = max(sampler.peak_kib if sampler else 0, usage.ru_maxrss if usage.ru_maxrss > own else 0)
    with open(log_path, errors="replace") as file:
        output = file.read()[-20_000:]
    return Measurement(exit_code=os.waitstatus_to_exitcode(status), wall=wall, user=usage.ru_utime, system=usage.ru_stime,
                       peak_mib=peak / 1024, tree_mib=max(peak, sampler.tree_kib if sampler else 0) / 1024, others_cpu=max(0.0, others),
                       load=load, output=output)
