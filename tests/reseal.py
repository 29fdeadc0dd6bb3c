#!/usr/bin/env python3
"""Seals an envelope that was opened for checking once more, by another implementation than the service's.

    tests/reseal.py FILE    prints its number (FILE: as downloaded, or tests/vectors.json)

HPKE (RFC 9180, base mode, X25519, HKDF-SHA-256, ChaCha20-Poly1305) by hand; needs Python's `cryptography`.
"""
import hashlib
import hmac
import json
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEM, SUITE = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x03"


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def extract(salt, material):
    return mac(salt or bytes(32), material)


def expand(prk, info, length):
    return mac(prk, info + b"\x01")[:length]  # one block is enough for everything here


def labeled_extract(suite, salt, label, material):
    return extract(salt, b"HPKE-v1" + suite + label + material)


def labeled_expand(suite, prk, label, info, length):
    return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def number(opened):
    salt, box_key = bytes.fromhex(opened["salt"]), bytes.fromhex(opened["box_public_key"])
    ballot = opened["ballot"].encode()
    commitment = expand(extract(b"", salt), b"commit", 32)
    plain = (len(ballot).to_bytes(4, "big") + ballot + commitment).ljust(opened["bucket_bytes"], b"\x00")
    # the ephemeral key is derived from salt and ballot: the same envelope every time
    seed = labeled_extract(KEM, b"", b"dkp_prk", mac(salt, plain))
    ephemeral = X25519PrivateKey.from_private_bytes(labeled_expand(KEM, seed, b"sk", b"", 32))
    sent = ephemeral.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    agreed = labeled_extract(KEM, b"", b"eae_prk", ephemeral.exchange(X25519PublicKey.from_public_bytes(box_key)))
    shared = labeled_expand(KEM, agreed, b"shared_secret", sent + box_key, 32)
    info = ("phieu/envelope/v1\n" + opened["round"]).encode()
    context = b"\x00" + labeled_extract(SUITE, b"", b"psk_id_hash", b"") + labeled_extract(SUITE, b"", b"info_hash", info)
    secret = labeled_extract(SUITE, shared, b"secret", b"")
    key, nonce = (labeled_expand(SUITE, secret, what, context, n) for what, n in ((b"key", 32), (b"base_nonce", 12)))
    return hashlib.sha256(b"phieu/envelope/v1" + sent + ChaCha20Poly1305(key).encrypt(nonce, plain, b"")).hexdigest()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        read = json.load(file)
    print(number(read.get("seal", read)))
