"""tipple undo: a load is taken back with its nested rows, its record and its state, or it is said why that cannot be."""

import json

from tipple_cli import EXIT_USAGE, Case, main


def orders(first, last, note="a"):
    return [{"id": number, "note": note, "lines": [{"sku": f"{number}-{line}", "tags": [note]} for line in range(2)]} for number in range(first, last)]


class Undo(Case):
    def load_orders(self, first, last, *flags, note="a"):
        """Returns the load's id; nothing when there was nothing new."""
        self.write("orders.jsonl", orders(first, last, note))
        result = self.load("orders.jsonl", "--json", *flags)
        return (result.finished()["loads"] or [None])[-1]

    def undo(self, *arguments, **options):
        return self.tipple("undo", self.database.name, *arguments, **options)

    def rows(self):
        return [self.count(table) for table in ("orders", "orders__lines", "orders__lines__tags")]

    def assert_sound(self):
        self.tipple("verify", self.database.name)

    def test_appended_load_goes_with_what_is_nested(self):
        first = self.load_orders(0, 5)
        before = self.records("orders")
        second = self.load_orders(5, 8)
        self.assertEqual(self.rows(), [8, 16, 16])
        result = self.undo(second, "--yes")
        self.assertIn("15 rows removed", result.out)
        self.assertEqual(self.records("orders"), before)
        loads = self.values("SELECT load_id FROM _dlt_loads")
        self.assertIn(first, loads)
        self.assertNotIn(second, loads)
        self.assert_sound()
        # And it can be loaded again.
        self.load_orders(5, 8)
        self.assertEqual(self.rows(), [8, 16, 16])

    def test_older_load_of_files_can_go_alone(self):
        first = self.load_orders(0, 5)
        self.load_orders(5, 8)
        self.undo(first, "--yes")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY 1"), [5, 6, 7])
        self.assert_sound()

    def test_dry_run_counts_and_changes_nothing(self):
        load = self.load_orders(0, 5)
        before = self.contents()
        result = self.undo(load, "--dry-run")
        for text in ["orders ", "orders__lines__tags", "10"]:
            self.assertIn(text, result.out)
        plan = json.loads(self.undo(load, "--dry-run", "--json").out)
        self.assertEqual(plan["rows"], {"orders": 5, "orders__lines": 10, "orders__lines__tags": 10})
        self.assertFalse(plan["undone"])
        self.assert_unchanged(before)

    def test_asks_where_nobody_can_answer(self):
        load = self.load_orders(0, 5)
        before = self.contents()
        result = self.undo(load, expect=EXIT_USAGE)
        self.assertIn("--yes", result.err)
        self.assert_unchanged(before)

    def test_unknown_load(self):
        load = self.load_orders(0, 5)
        result = self.undo(load[:-1] + "x", "--yes", expect=EXIT_USAGE)
        self.assertIn(f"did you mean {load}?", result.err)

    def test_merge_is_not_undone_by_half(self):
        first = self.load_orders(0, 5, "--key", "id")
        second = self.load_orders(3, 7, "--key", "id", note="b")
        before = self.contents()
        result = self.undo(second, "--yes", expect=EXIT_USAGE)
        self.assertIn('merged into table "orders"', result.err)
        self.assertIn("--rows-only", result.err)
        result = self.undo(first, "--yes", expect=EXIT_USAGE)
        self.assertIn("after it", result.err)
        self.assert_unchanged(before)
        self.undo(second, "--yes", "--rows-only")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY 1"), [0, 1, 2])
        self.assert_sound()

    def test_first_merge_took_nothing_away(self):
        load = self.load_orders(0, 5, "--key", "id")
        self.undo(load, "--yes")
        self.assertEqual(self.rows(), [0, 0, 0])

    def test_through_takes_all_that_came_after(self):
        self.load_orders(0, 2)
        second = self.load_orders(2, 4)
        self.load_orders(4, 6)
        self.undo(second, "--through", "--yes")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY 1"), [0, 1])
        self.assert_sound()

    def test_cursor_goes_back_with_its_load(self):
        self.load_orders(0, 3, "--cursor", "id")
        second = self.load_orders(0, 6, "--cursor", "id")
        before = self.records("orders")
        self.assertEqual(self.rows(), [6, 12, 12])
        result = self.undo(second, "--dry-run")
        self.assertIn("cursor", result.out)
        self.undo(second, "--yes")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY 1"), [0, 1, 2])
        # The state before it, as a version behind that of the load, so that whoever knows that one sees that it has changed.
        self.assertEqual(self.values("SELECT version FROM _dlt_pipeline_state ORDER BY 1"), [1, 3])
        # The rows are read again, and only they.
        self.load_orders(0, 6, "--cursor", "id")
        self.assertEqual(self.records("orders"), before)
        self.assert_sound()

    def test_cursor_that_later_loads_went_on_from(self):
        self.load_orders(0, 2, "--cursor", "id")
        second = self.load_orders(0, 4, "--cursor", "id")
        self.load_orders(0, 6, "--cursor", "id")
        before = self.contents()
        result = self.undo(second, "--yes", expect=EXIT_USAGE)
        for text in ["--through", "--keep-cursor"]:
            self.assertIn(text, result.err)
        self.assert_unchanged(before)
        self.undo(second, "--yes", "--keep-cursor")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY 1"), [0, 1, 4, 5])
        self.load_orders(0, 6, "--cursor", "id")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY 1"), [0, 1, 4, 5])
        self.assert_sound()

    def test_through_takes_the_cursor_back_too(self):
        self.load_orders(0, 2, "--cursor", "id")
        second = self.load_orders(0, 4, "--cursor", "id")
        self.load_orders(0, 6, "--cursor", "id")
        self.undo(second, "--through", "--yes")
        self.load_orders(0, 6, "--cursor", "id")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY 1"), [0, 1, 2, 3, 4, 5])
        self.assert_sound()

    def test_undo_twice_says_that_it_is_gone(self):
        load = self.load_orders(0, 5)
        self.undo(load, "--yes")
        result = self.undo(load, "--yes", expect=EXIT_USAGE)
        self.assertIn(f"there is no load {load}", result.err)


if __name__ == "__main__":
    main()
