import unittest

from defaults import Defaults, Refused


class ContentType(unittest.TestCase):
    def test_the_ending_of_a_key_tells(self):
        for key, told in {
            "a.txt": "text/plain",
            "runs.1/report.html": "text/html",
            "a/data.json": "application/json",
            "v1.2/logs.tar.gz": "application/gzip",
            "a;b:c.png": "image/png",
            "A.PNG": "image/png",
            "plain": None,
            "folder.txt/": None,
            ".txt": "text/plain",
        }.items():
            self.assertEqual(Defaults([]).content_type(key, None), told, key)

    def test_the_callers_word_stands(self):
        self.assertEqual(Defaults([]).content_type("a.txt", "x/y"), "x/y")

    def test_what_does_not_tell_can_be_refused(self):
        strict = Defaults([("unknown-type", "refuse")])
        self.assertEqual(strict.content_type("a.txt", None), "text/plain")
        self.assertEqual(strict.content_type("a", "x/y"), "x/y")
        with self.assertRaisesRegex(Refused, "content type of a is not given"):
            strict.content_type("a", None)


class Metadata(unittest.TestCase):
    def test_it_is_added_where_it_is_missing(self):
        defaults = Defaults([("metadata.owner", "ci"), ("metadata.Team", "core")])
        given = [("OWNER", "me")]
        self.assertEqual(defaults.with_metadata(given), [("OWNER", "me"), ("Team", "core")])


class Settings(unittest.TestCase):
    def test_one_that_is_wrong_or_unknown_is_refused(self):
        for name, value in [("unknown-type", "no"), ("metadata.", "x"), ("metdata.owner", "x")]:
            with self.subTest(name), self.assertRaisesRegex(Refused, "setting"):
                Defaults([(name, value)])


if __name__ == "__main__":
    unittest.main()
