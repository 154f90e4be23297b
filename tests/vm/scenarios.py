"""Each scenario is an update of the machine and how it must end."""
import time

import factory

# kind of image, how it ends, typed cause in the server's history
SCENARIOS = [
    ("good", "committed", None, "an update is loaded, started, watched and kept"),
    ("panic", "reverted", "boot_failed", "its kernel panics"),
    ("hang", "reverted", "boot_failed", "its init hangs: the dead-man restarts it"),
    ("noagent", "reverted", "boot_failed", "it has no agent: the dead-man restarts it"),
    ("slow", "reverted", "latency", "its workload is too slow: the agent takes it back"),
    ("spin", "reverted", "boot_failed", "a task takes the processor for ever: the hardware watchdog restarts it"),
]


def enrol(bed, say):
    """The machine starts from its first slot, and enrols with the invitation that the factory has left."""
    began = time.monotonic()
    issued = identity(bed)
    bed.machine.start()
    s = bed.wait_up()
    if not s:
        raise SystemExit(f"the machine does not start: {bed.machine.folder}/console.log")
    factory.wait(240, "the machine to enrol", lambda: identity(bed) > issued)
    wrong = bed.complaints(s)
    say("enrol", time.monotonic() - began, f"runs {s['running']['release']} in slot {s['running']['slot'].upper()}, has a certificate of its "
        "own", wrong)


def identity(bed):
    """When the device's certificate was issued."""
    return (bed.fleet.ask("device", "show", "vm").get("identity") or {}).get("issued_ms", 0)


def play(bed, kind, ends, cause, text, say):
    name = bed.release(kind)
    began, mark = time.monotonic(), bed.machine.mark()
    bed.wait_over(bed.order(name))
    wrong, o = bed.end_complaints(name)
    tries = sum(1 for _, l in bed.machine.lines[mark:] if ", try " in l)
    if not o or o["state"] != ends or (cause and o.get("cause") != cause):
        wrong.append(f"expected {ends} {cause or ''}")
    s = bed.status() or {"running": {"release": "?", "slot": "?"}}
    how = " ".join(filter(None, (o["state"], o.get("cause")))) if o else "nothing"
    say(kind, time.monotonic() - began, f"{text}. Server: {how}; {tries} starts on trial; runs "
        f"{s['running']['release']} in slot {s['running']['slot'].upper()}", wrong)
