"""What goes wrong around a load: full disks, missing permissions, locks, signals. The destination is as it was, and the next run works."""

import itertools
import json
import os
import random
import resource
import signal
import subprocess

import duckdb

from tipple_cli import EXIT_DATA, EXIT_INTERRUPTED, EXIT_LOCAL, EXIT_LOCKED, EXIT_TERMINATED, EXIT_USAGE, Case, main


ORDERS = 4_000


def orders(count, first=0):
    """Nested records with text that cannot be compressed away."""
    numbers = random.Random(first)
    return [
        {"id": number, "text": numbers.randbytes(60).hex(), "lines": [{"sku": numbers.randbytes(8).hex(), "tags": ["x", "y"]}] * (number % 3)}
        for number in range(first, first + count)
    ]


def as_lines(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


class WithOrders(Case):
    """A destination with rows, a file with more of them, and what the destination must hold after that file was loaded once."""

    @classmethod
    def setUpClass(cls):
        """The same for every test, made once."""
        made = cls()
        Case.setUp(made)
        made.load(made.write("first.jsonl", orders(20, first=1_000_000)), "--as", "orders")
        cls.first = made.database.read_bytes()
        cls.orders = as_lines(orders(ORDERS))
        made.load(made.write("orders.jsonl", cls.orders))
        cls.after = made.records("orders")
        cls.lines = made.count("orders__lines")
        made.doCleanups()

    def setUp(self):
        super().setUp()
        self.database.write_bytes(self.first)
        self.before = self.contents()
        self.write("orders.jsonl", self.orders)

    def assert_next_run_makes_it_good(self, *arguments):
        """The same command again: its rows are there, once."""
        result = self.load("orders.jsonl", *arguments)
        self.assertEqual(self.records("orders"), self.after)
        self.assertEqual(self.pending(), [])
        return result


class FullDisk(WithOrders):
    def test_file_size_limits(self):
        def limited(size):
            return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        failures = 0
        for size in [4 << 10, 32 << 10, 200 << 10, 700 << 10, 1 << 20, 2 << 20, 64 << 20]:
            with self.subTest(size):
                result = self.load("orders.jsonl", expect=None, preexec=limited(size))
                if result.code == 0:
                    break
                failures += 1
                self.assertEqual(result.code, EXIT_LOCAL, result.err)
                self.assertIn("File too large", result.err)
                self.assert_unchanged(self.before)
        self.assertEqual(result.code, 0, result.err)
        self.assertGreaterEqual(failures, 3)
        self.assertEqual(self.records("orders"), self.after)

    def mount_small_disk(self, name, size):
        path = self.path(name)
        path.mkdir()
        try:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tipple-test", str(path)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.skipTest(f"mounting is not permitted here: {error}")
        self.addCleanup(subprocess.run, ["umount", str(path)], check=True)
        return path

    def test_no_room_for_the_package(self):
        data_folder = self.mount_small_disk("small", "300k")
        result = self.tipple("load", "orders.jsonl", "shop.duckdb", "--data-dir", data_folder, data_folder=False, expect=EXIT_LOCAL)
        self.assertIn("No space left on device", result.err)
        self.assertIn(str(data_folder), result.err)
        self.assert_unchanged(self.before)
        self.assertEqual([path.name for path in data_folder.glob("pipelines/*/packages/*")], [], "the disk must not stay full")
        self.assert_next_run_makes_it_good()

    def test_no_room_for_the_database(self):
        disk = self.mount_small_disk("small", len(self.first) + (300 << 10))
        self.database = disk / "shop.duckdb"
        self.database.write_bytes(self.first)
        result = self.load("orders.jsonl", str(self.database), expect=EXIT_LOCAL)
        self.assertIn("disk is full", result.err)
        self.assert_unchanged(self.before)
        # Nothing was read in vain: the package waits until there is room.
        self.assertEqual(len(self.pending()), 1)
        self.assertIn(self.pending()[0], result.err)
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        result = self.load("orders.jsonl", str(self.database))
        self.assertEqual(self.records("orders"), self.after)
        self.assertIn("not loaded once more", " ".join(result.err.split()))

    def test_no_room_for_a_new_database(self):
        """What was not there before the load is not there after it, and takes no room."""
        disk = self.mount_small_disk("small", "400k")
        numbers = random.Random(1)
        # More than the engine keeps until the commit.
        self.write("many.jsonl", [{"id": number, "text": numbers.randbytes(8).hex()} for number in range(300_000)])
        result = self.load("many.jsonl", "small/new.duckdb", expect=EXIT_LOCAL)
        self.assertIn("disk is full", result.err)
        self.assertEqual(list(disk.iterdir()), [])
        self.assertEqual(len(self.pending()), 1)
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        self.load("many.jsonl", "small/new.duckdb")
        self.database = disk / "new.duckdb"
        self.assertEqual(self.count("many"), 300_000)

    def test_no_room_for_the_head_of_a_new_database(self):
        for size in ("4k", "8k"):
            with self.subTest(size):
                disk = self.mount_small_disk(f"tiny{size}", size)
                result = self.load("orders.jsonl", f"{disk.name}/new.duckdb", expect=EXIT_LOCAL)
                self.assertIn("disk is full", result.err)
                self.assertEqual(list(disk.iterdir()), [])
                subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
                self.load("orders.jsonl", f"{disk.name}/new.duckdb")

    def test_no_memory_for_a_new_database(self):
        self.write("wide.jsonl", [{f"column_{number}": number for number in range(3_000)}])
        result = self.load("wide.jsonl", "new.duckdb", "--memory", "128MiB", expect=EXIT_LOCAL)
        self.assertIn("has 3002 columns", result.err)
        self.assertFalse(self.path("new.duckdb").exists())

    def test_a_disk_that_is_full_at_any_moment(self):
        """Before the commit, while it is written, and during the checkpoint after it: the room grows until the load has enough."""
        disk = self.mount_small_disk("small", len(self.first))
        self.database = disk / "shop.duckdb"
        codes = []
        for room in itertools.count(100 << 10, 150 << 10):
            with self.subTest(room):
                subprocess.run(["mount", "-o", f"remount,size={len(self.first) + room}", str(disk)], check=True)
                self.path("small/shop.duckdb.wal").unlink(missing_ok=True)
                self.database.write_bytes(self.first)
                result = self.load("orders.jsonl", str(self.database), expect=None)
                codes.append(result.code)
                if result.code == 0:
                    self.assertEqual(self.records("orders"), self.after)
                    break
                self.assertIn(result.code, (EXIT_LOCAL, -signal.SIGABRT), result.err)
                self.assert_unchanged(self.before)
                self.tipple("packages", "discard", str(self.database), "--yes")
        self.assertGreaterEqual(len(codes), 3)


class Permissions(WithOrders):
    def test_a_file_that_may_not_be_read(self):
        self.path("orders.jsonl").chmod(0)
        somebody = self.unprivileged()
        self.database.chmod(0o666)
        self.database.parent.chmod(0o777)
        result = self.load("orders.jsonl", expect=EXIT_LOCAL, preexec=somebody)
        self.assertIn("orders.jsonl", result.err)
        self.assertIn("Permission denied", result.err)
        self.assert_unchanged(self.before)

    def test_a_database_that_may_not_be_written(self):
        self.database.chmod(0o444)
        result = self.load("orders.jsonl", expect=EXIT_LOCAL, preexec=self.unprivileged())
        self.assertIn("shop.duckdb", result.err)
        self.assertIn("Permission denied", result.err)
        self.assert_nothing_read(result)

    def assert_nothing_read(self, result):
        """What cannot be written is said before the first record is read, and no package of it waits."""
        self.assertNotIn("extract", result.err)
        self.assertIn("Nothing was read", result.err)
        self.assertEqual(self.pending(), [])
        self.assert_unchanged(self.before)

    def test_a_folder_that_is_not_there(self):
        result = self.load("orders.jsonl", "nowhere/new.duckdb", expect=EXIT_USAGE)
        self.assertIn("nowhere\" of the database file does not exist", result.err)
        self.assert_nothing_read(result)

    def test_a_folder_instead_of_a_database(self):
        self.path("folder.duckdb").mkdir()
        result = self.load("orders.jsonl", "folder.duckdb", expect=EXIT_USAGE)
        self.assertIn("is a folder, and not a database file", result.err)

    def test_a_folder_in_which_no_database_may_be_made(self):
        self.path("locked").mkdir(mode=0o555)
        result = self.load("orders.jsonl", "locked/new.duckdb", expect=EXIT_LOCAL, preexec=self.unprivileged())
        self.assertIn("locked/new.duckdb", result.err)
        self.assertIn("Permission denied", result.err)
        self.assert_nothing_read(result)
        self.assertEqual(list(self.path("locked").iterdir()), [])

    def test_a_data_folder_that_may_not_be_written(self):
        self.path("locked").mkdir(mode=0o555)
        result = self.tipple(
            "load", "orders.jsonl", "shop.duckdb", "--data-dir", "locked", data_folder=False, expect=EXIT_LOCAL, preexec=self.unprivileged()
        )
        self.assertIn("locked", result.err)
        self.assertIn("Permission denied", result.err)
        self.assert_unchanged(self.before)


class Locks(WithOrders):
    def test_a_database_that_is_being_written(self):
        holder = duckdb.connect(str(self.database))
        for timeout in ["0", "0.3"]:
            result = self.load("orders.jsonl", "--lock-timeout", timeout, expect=EXIT_LOCKED)
            self.assertIn(f"PID {os.getpid()}", result.err)
            self.assertIn("shop.duckdb", result.err)
            self.assertIn("--lock-timeout", result.err)
        holder.close()
        self.assert_unchanged(self.before)
        self.assert_next_run_makes_it_good()

    def test_waits_until_it_is_free(self):
        holder = duckdb.connect(str(self.database))
        with self.start("load", "orders.jsonl", "shop.duckdb", "--lock-timeout", "1000", "-v") as run:
            run.wait_for("waiting")
            holder.close()
            self.assertEqual(run.finish().code, 0)
        self.assertEqual(self.records("orders"), self.after)

    def test_a_reader_that_stays_during_the_load(self):
        reader = duckdb.connect(str(self.database), read_only=True)
        result = self.load("orders.jsonl", "--lock-timeout", "0.1", expect=EXIT_LOCKED)
        self.assertIn(f"PID {os.getpid()}", result.err)
        reader.close()
        self.assert_unchanged(self.before)
        # What was read is kept, and the message says so. Another load comes in between; the order stays.
        [waiting] = self.pending()
        self.assertIn(waiting, result.err)
        result = self.load(self.write("other.jsonl", [{"id": 1}]))
        self.assertIn(f"finishing package {waiting} of an earlier run first", result.err)
        self.assertEqual(self.records("orders"), self.after)
        self.assertEqual(self.count("other"), 1)

    def test_two_runs_of_one_pipeline(self):
        with self.start("load", "-", "shop.duckdb", "--as", "slow") as run:
            run.feed(as_lines(orders(2_000)))
            result = self.load("orders.jsonl", expect=EXIT_LOCKED)
            self.assertIn(f"pid {run.process.pid}", result.err)
            self.assertEqual(run.finish().code, 0)
        self.assertEqual(self.count("slow"), 2_000)
        self.assert_next_run_makes_it_good()

    def test_a_run_elsewhere_that_was_faster(self):
        # Two machines have no lock in common; the database itself tells.
        self.write("other.jsonl", [{"id": 1}])
        with self.start("load", "-", "shop.duckdb", "--as", "slow") as run:
            run.feed(as_lines(orders(2_000)))
            self.tipple("load", "other.jsonl", "shop.duckdb", "--data-dir", "elsewhere", data_folder=False)
            result = run.finish()
        self.assertEqual(result.code, EXIT_LOCKED)
        self.assertIn("run again", result.err)
        self.assertEqual(self.tables(), ["orders", "orders__lines", "orders__lines__tags", "other"])
        self.assertEqual(self.count("other"), 1)
        # Nothing waits that could never be loaded.
        self.assertEqual(self.pending(), [])
        self.load("-", "--as", "slow", input=as_lines(orders(2_000)))
        self.assertEqual(self.count("slow"), 2_000)


class Readers(WithOrders):
    def test_the_database_is_free_while_a_long_extract_runs(self):
        with self.start("load", "-", "shop.duckdb", "--as", "orders") as run:
            for part in range(4):
                run.feed(as_lines(orders(1_000, first=part * 1_000)))
                self.assertEqual(self.count("orders"), 20)
                self.assertEqual(self.tipple("query", "shop.duckdb", "SELECT count(*) FROM orders", "-o", "csv").out.split()[-1], "20")
                duckdb.connect(str(self.database)).close()
            self.assertEqual(run.finish().code, 0)
        self.assertEqual(self.count("orders"), 20 + 4_000)
        self.assertEqual(self.count("orders__lines"), self.lines)


class Signals(WithOrders):
    def test_during_extract(self):
        for which, code in {signal.SIGINT: EXIT_INTERRUPTED, signal.SIGTERM: EXIT_TERMINATED}.items():
            with self.subTest(which.name), self.start("load", "-", "shop.duckdb", "--as", "orders") as run:
                run.feed(as_lines(orders(2_000)))
                run.send(which)
                # Its input stays open: it must not wait for more of it.
                run.wait_for("stopped")
                run.process.wait()
                result = run.finish()
                self.assertEqual(result.code, code)
                self.assertIn("as it was before", result.err)
                self.assert_unchanged(self.before)
                self.assert_no_leftovers()
        self.assert_next_run_makes_it_good()

    def test_while_it_waits_for_a_lock(self):
        holder = duckdb.connect(str(self.database))
        with self.start("load", "orders.jsonl", "shop.duckdb", "-v", "--lock-timeout", "1000") as run:
            run.wait_for("waiting")
            run.send(signal.SIGINT)
            self.assertEqual(run.finish().code, EXIT_INTERRUPTED)
        holder.close()
        self.assert_unchanged(self.before)
        self.assert_no_leftovers()
        self.assert_next_run_makes_it_good()

    def test_while_the_load_waits_for_a_lock(self):
        # The package is closed, the transaction is not begun.
        reader = duckdb.connect(str(self.database), read_only=True)
        with self.start("load", "orders.jsonl", "shop.duckdb", "-v", "--lock-timeout", "1000") as run:
            run.wait_for("waiting")
            run.send(signal.SIGTERM)
            self.assertEqual(run.finish().code, EXIT_TERMINATED)
        reader.close()
        self.assert_unchanged(self.before)
        self.assert_no_leftovers()
        self.assert_next_run_makes_it_good()

    def test_during_the_load(self):
        codes = set()
        for delay in [0.0, 0.02, 0.05, 0.1, 0.2]:
            with self.start("load", "orders.jsonl", "shop.duckdb", "--progress", "lines", "--disposition", "merge", "--key", "id") as run:
                run.wait_for("done in")
                try:
                    run.process.wait(timeout=delay)
                except subprocess.TimeoutExpired:
                    run.send(signal.SIGINT)
                result = run.finish()
            codes.add(result.code)
            self.assertIn(result.code, (0, EXIT_INTERRUPTED), result.err)
            self.assertEqual(self.pending(), [])
            if result.code != 0:
                self.assert_unchanged(self.before)
            else:
                self.assertEqual(self.records("orders"), self.after)
                self.before = self.contents()
        self.assertIn(EXIT_INTERRUPTED, codes)
        self.load("orders.jsonl", "--disposition", "merge", "--key", "id")
        self.assertEqual(self.records("orders"), self.after)

    def test_twice_ends_it_at_once(self):
        reader = duckdb.connect(str(self.database), read_only=True)
        with self.start("load", "orders.jsonl", "shop.duckdb", "-v", "--lock-timeout", "1000") as run:
            run.wait_for("waiting")
            run.send(signal.SIGSTOP)
            run.send(signal.SIGINT)
            run.send(signal.SIGTERM)
            run.send(signal.SIGCONT)
            self.assertIn(run.finish().code, (EXIT_INTERRUPTED, EXIT_TERMINATED))
        reader.close()
        self.assert_unchanged(self.before)
        self.assert_next_run_makes_it_good()

    def test_a_file_that_goes_on_for_ever(self):
        fifo = self.path("endless.jsonl")
        os.mkfifo(fifo)
        with self.start("load", "endless.jsonl", "shop.duckdb") as run, open(fifo, "wb") as end:
            for part in itertools.islice(itertools.cycle([as_lines(orders(100))]), 50):
                end.write(part)
            run.send(signal.SIGINT)
            run.wait_for("stopped")
            self.assertEqual(run.finish().code, EXIT_INTERRUPTED)
        self.assert_unchanged(self.before)


class Pending(WithOrders):
    """A package that was closed by a run that was killed before it could load it."""

    def setUp(self):
        super().setUp()
        reader = duckdb.connect(str(self.database), read_only=True)
        with self.start("load", "orders.jsonl", "shop.duckdb", "-v", "--lock-timeout", "1000") as run:
            run.wait_for("waiting")
            run.kill()
        reader.close()
        self.assert_unchanged(self.before)
        [self.waiting] = self.pending()

    def test_the_same_command_again_loads_it_once(self):
        result = self.assert_next_run_makes_it_good()
        self.assertIn(self.waiting, result.err)
        self.assertIn("not loaded once more", result.err)
        # And once more is once more.
        self.assertIn(f"before, unchanged, by load {self.waiting}", self.load("orders.jsonl").err)
        self.assertEqual(self.count("orders"), 20 + 2 * ORDERS)

    def test_a_changed_file_is_loaded_as_well(self):
        self.load(self.write("orders.jsonl", orders(10)))
        self.assertEqual(self.count("orders"), 20 + ORDERS + 10)

    def test_another_way_of_reading_the_file_is_another_load(self):
        self.load("orders.jsonl", "--as", "others")
        self.assertEqual(self.records("orders"), self.after)
        self.assertEqual(self.count("others"), ORDERS)

    def test_it_is_first_and_told_in_json(self):
        result = self.load(self.write("other.jsonl", [{"id": 1}]), "--json")
        [resumed] = [event for event in result.events() if event["event"] == "package.resumed"]
        self.assertEqual(resumed["load_id"], self.waiting)
        self.assertEqual(result.finished()["loads"][0], self.waiting)
        self.assertEqual(self.values("SELECT load_id FROM _dlt_loads ORDER BY inserted_at, load_id")[1], self.waiting)
        self.assertEqual(self.records("orders"), self.after)

    def test_with_nothing_to_read(self):
        self.load(self.write("empty.jsonl", ""))
        self.assertEqual(self.records("orders"), self.after)

    def test_before_a_run_that_fails(self):
        # The earlier run succeeds, late; this one does not.
        self.load(self.write("bad.jsonl", "{"), expect=EXIT_DATA)
        self.assertEqual(self.records("orders"), self.after)

    def test_of_another_database_is_left_alone(self):
        self.load(self.write("other.jsonl", [{"id": 1}]), "other.duckdb")
        self.assert_unchanged(self.before)
        self.assertEqual(self.pending(), [self.waiting])

    def test_a_dry_run_leaves_it_alone(self):
        self.load("orders.jsonl", "--dry-run")
        self.assert_unchanged(self.before)
        self.assertEqual(self.pending(), [self.waiting])

    def test_that_is_damaged_is_named(self):
        [manifest] = self.data_folder.glob(f"pipelines/*/packages/{self.waiting}/manifest.json")
        manifest.write_text(manifest.read_text().replace("orders", "0rders", 1))
        result = self.load("orders.jsonl", expect=6)
        self.assertIn(self.waiting, result.err)
        self.assert_unchanged(self.before)

    def test_whose_rows_are_damaged_is_given_up(self):
        job = max(self.data_folder.glob(f"pipelines/*/packages/{self.waiting}/jobs/*.arrow"), key=lambda path: path.stat().st_size)
        content = bytearray(job.read_bytes())
        content[len(content) // 2] ^= 0xFF
        job.write_bytes(bytes(content))
        result = self.load("orders.jsonl", expect=6)
        self.assertIn(job.name, result.err)
        self.assertIn("read its data again", result.err)
        self.assert_unchanged(self.before)
        self.assertNotIn("once more", self.assert_next_run_makes_it_good().err)


if __name__ == "__main__":
    main()
