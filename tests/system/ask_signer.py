"""What somebody can do who has taken the server over: speaks to the signer's socket directly.

ask_signer.py SOCKET NAME...: plays these attacks and prints for each what came of it, "NAME ERROR: REASON" or
"NAME signed N"; "NAME hung up" when nobody listens to this user. Reads the repository from keys/repo and foreign/repo.
"""

import json
import os
import socket
import struct
import sys

FIRST = ("root", "targets", "engineering", "safety", "compliance")


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    return s


def take(s, n):
    got = b""
    while len(got) < n:
        piece = s.recv(n - len(got))
        if not piece:
            raise ConnectionError("hung up")
        got += piece
    return got


def frame(s, body):
    s.sendall(struct.pack(">I", len(body)) + body)
    return json.loads(take(s, struct.unpack(">I", take(s, 4))[0]))


def ask(s, **question):
    return frame(s, json.dumps(question).encode())


def want(has=0, due=False):
    return {f: {"has": has, "due": due} for f in ("targets", "snapshot", "timestamp")}


def director(s, device, order, release=None, has=0, due=False, life=3600):
    q = {"ask": "director", "device": device, "order": order, "want": want(has, due), "life_s": life,
         "timestamp_life_s": 3600}
    if release:
        q["path"], q["digest"] = release
    return ask(s, **q)


def image(s, folder, files=FIRST):
    shown = [{"role": r, "bytes": open(f"{folder}/1.{r}.json").read()} for r in files]
    return ask(s, ask="image", files=shown, want=want(), life_s=3600, timestamp_life_s=3600)


def release(n):
    """Path and digest of a release document that was published."""
    return f"toy/toy-{n}.json", open(f"digest-{n}").read().strip()


def budget(s):
    """Until it is used up."""
    for n in range(1000):
        r = director(s, "ghost", "nothing", has=n, due=n > 0)
        if "error" in r:
            return r
    return {"error": "none"}


def long_frame(s):
    s.sendall(struct.pack(">I", 1 << 31) + b"x")
    return {"error": "hung-up" if s.recv(1) == b"" else "answered", "reason": ""}


ATTACKS = {
    "unknown_release": lambda s: director(s, "one", "install", ("toy/toy-9.json", "0" * 64), has=1),
    "other_document": lambda s: director(s, "one", "install", (release(2)[0], release(1)[1]), has=1),
    "lower_counter": lambda s: director(s, "one", "install", release(1), has=1),
    "version_of_another_device": lambda s: director(s, "one", "install", release(2), has=57),
    "life_of_a_year": lambda s: director(s, "one", "install", release(2), has=1, life=365 * 86400),
    "foreign_snapshot": lambda s: image(s, "foreign/repo/image"),
    "foreign_role": lambda s: image(s, "foreign/repo/image", ("safety",)),
    "bytes": lambda s: ask(s, ask="director", bytes="{}"),
    "no_json": lambda s: frame(s, b"{"),
    "long_frame": long_frame,
    "over_budget": budget,
    "device_that_is_a_path": lambda s: director(s, "../one", "nothing"),
    "look": lambda s: ask(s, ask="look"),
}


def main():
    path, names = sys.argv[1], sys.argv[2:]
    if names[0] == "--as-nobody":
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        names = names[1:]
    for name in names:
        try:
            s = connect(path)
            r = ATTACKS[name](s)
            s.close()
        except (ConnectionError, BrokenPipeError):
            print(name, "hung up")
            continue
        print(name, f"{r['error']}: {r.get('reason', '')}" if "error" in r else f"signed {r['made']}")


main()
