"""Tests of signing, where openssl is installed."""

import contextlib
import hashlib
import io
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import sign


class Signing(unittest.TestCase):
    def setUp(self):
        if shutil.which("openssl") is None:
            self.skipTest("openssl is not installed")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def key(self, bits=2048):
        path = self.directory / f"{bits}.pem"
        subprocess.run(["openssl", "genrsa", "-out", path, str(bits)], check=True, capture_output=True)
        return path

    def test_the_digest_is_that_of_the_digests_of_pieces(self):
        content = bytes(range(256)) * 5000
        pieces = content[: 1 << 20], content[1 << 20 :]
        self.assertEqual(sign.digest(content), hashlib.sha256(b"".join(hashlib.sha256(piece).digest() for piece in pieces)).digest())

    def test_the_signature_replaces_the_empty_one_and_is_the_keys(self):
        key = self.key()
        package = b"library" * 1000 + bytes(sign.SIGNATURE_BYTES)
        signed = sign.signed(package, key)
        self.assertEqual((len(signed), signed[: -sign.SIGNATURE_BYTES]), (len(package), package[: -sign.SIGNATURE_BYTES]))
        (self.directory / "digest").write_bytes(sign.digest(package[: -sign.SIGNATURE_BYTES]))
        (self.directory / "signature").write_bytes(signed[-sign.SIGNATURE_BYTES :])
        words = ["-in", self.directory / "digest", "-sigfile", self.directory / "signature", "-pkeyopt", "digest:sha256"]
        subprocess.run(["openssl", "pkeyutl", "-verify", "-inkey", key, *words], check=True, capture_output=True)

    def test_a_key_that_does_not_serve_is_refused_with_what_to_type(self):
        (self.directory / "no key.pem").write_text("nothing")
        package = b"library" + bytes(sign.SIGNATURE_BYTES)
        for key, reason in [
            (self.directory / "none.pem", "none.pem, which is no file"),
            (self.directory / "no key.pem", "openssl cannot sign with"),
            (self.key(3072), "has 3072 bits"),
        ]:
            with self.assertRaises(SystemExit) as caught:
                sign.signed(package, key)
            self.assertIn(reason, str(caught.exception))
            self.assertIn("openssl genrsa -out key.pem 2048", str(caught.exception))

    def test_an_unsigned_repository_names_no_key(self):
        with contextlib.redirect_stdout(io.StringIO()):
            sign.describe(self.directory, self.key())
            self.assertTrue((self.directory / sign.DESCRIPTION).is_file())
            sign.describe(self.directory, None)
        self.assertFalse((self.directory / sign.DESCRIPTION).exists())


if __name__ == "__main__":
    unittest.main()
