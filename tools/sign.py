"""Signs packages as DuckDB checks it, with an RSA key of 2048 bits and the program `openssl`, and describes a repository of
signed packages as DuckDB 2 reads it.

DuckDB checks the last 256 bytes of a file against the SHA-256 of the SHA-256s of everything before, in pieces of 1 MiB.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SIGNATURE_BYTES = 256
PIECE_BYTES = 1024 * 1024
DESCRIPTION = Path(".well-known/duckdb-extension-repo.json")
MAKE_A_KEY = "make one: openssl genrsa -out key.pem 2048"


def digest(content):
    """What is signed."""
    pieces = (content[at : at + PIECE_BYTES] for at in range(0, len(content), PIECE_BYTES))
    return hashlib.sha256(b"".join(hashlib.sha256(piece).digest() for piece in pieces)).digest()


def signed(package, key):
    """A package whose signature is that of the private key in the file `key`."""
    content = package[:-SIGNATURE_BYTES]
    with tempfile.NamedTemporaryFile() as file:
        file.write(digest(content))
        file.flush()
        signature = openssl(key, "pkeyutl", "-sign", "-in", file.name, "-inkey", str(key), "-pkeyopt", "digest:sha256")
    if len(signature) != SIGNATURE_BYTES:
        sys.exit(f"the key in {key} has {len(signature) * 8} bits, and DuckDB's signatures have 2048; {MAKE_A_KEY}")
    return content + signature


def public_key(key):
    """The public half of the key, in base64."""
    pem = openssl(key, "pkey", "-in", str(key), "-pubout").decode()
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


def describe(repository, key):
    """Writes which key the packages below `repository` are signed with; without a key none may be named."""
    path = repository / DESCRIPTION
    if key is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 1, "signature_keys": [public_key(key)]}) + "\n", encoding="utf-8")
    print(path)


def openssl(key, *words):
    """What openssl writes; the reason why there is nothing ends the program."""
    if not Path(key).is_file():
        sys.exit(f"TSTABLE_SIGNING_KEY names {key}, which is no file; {MAKE_A_KEY}")
    try:
        done = subprocess.run(["openssl", *words], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError:
        sys.exit("signing needs the program openssl, as in apt install openssl")
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        sys.exit(f"openssl cannot sign with {key}: {reason[0] if reason else 'no reason given'}; {MAKE_A_KEY}")
    return done.stdout
