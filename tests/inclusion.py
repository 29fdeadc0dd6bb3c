"""Checks an answer of /api/v1/receipts/{receipt} with nothing but the standard library (RFC 9162, 2.1.3.2).

    curl -s "$PHIEU/api/v1/receipts/$RECEIPT" | python3 tests/inclusion.py [checkpoint]

The signature of the checkpoint is another program's work (openssl; see blackbox/verify.rs). Given the file of a
checkpoint that came another way, its root is the one that counts.
"""

import base64
import hashlib
import json
import sys


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


answer = json.load(sys.stdin)
said = answer["inclusion"]
checkpoint = open(sys.argv[1], encoding="utf-8").read() if sys.argv[1:] else said["checkpoint"]
origin, size, root = checkpoint.split("\n")[:3]
assert origin == "phieu/" + answer["round"], "a checkpoint of another round"
assert json.loads(said["leaf"]) == {"entry": "envelope", "id": answer["receipt"]}, "another leaf"

node, at, last = sha256(b"\0", said["leaf"].encode()), said["index"], int(size) - 1
assert 0 <= at <= last, "the leaf is beyond the checkpoint"
for other in map(base64.b64decode, said["proof"]):
    assert last > 0, "the proof is too long"
    if at % 2 or at == last:
        node = sha256(b"\1", other, node)
        while at % 2 == 0 and at > 0:
            at, last = at >> 1, last >> 1
    else:
        node = sha256(b"\1", node, other)
    at, last = at >> 1, last >> 1
assert last == 0, "the proof is too short"
assert node == base64.b64decode(root), "the proof does not lead to the root"
print(f"{answer['receipt']} is leaf {said['index']} of {size}")
