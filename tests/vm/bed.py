"""A machine with the server it belongs to, and what must be true of both."""
import json
import os
import time

import factory
from fleet import run

HERE = os.path.dirname(os.path.abspath(__file__))
ENDED = ("done", "halted")


class Bed:
    def __init__(self, fleet, machine, base):
        self.fleet, self.machine, self.base = fleet, machine, base
        self.number = 1
        self.running = None  # the release that ran when the present update was ordered
        self.quarantine = set()
        self.kinds = {"vm-1": "good"}

    # ---- releases ---------------------------------------------------------------------------------------------------

    def release(self, kind, soak_ms=10000):
        """The next image, published."""
        self.number += 1
        name = f"vm-{self.number}"
        image = self.fleet.path(f"{name}.img")
        run(HERE + "/make-variant", kind, self.number, self.base, image)
        self.fleet.publish(name, image, soak_ms)
        os.unlink(image)
        self.kinds[name] = kind
        return name

    # ---- the guest ----------------------------------------------------------------------------------------------------

    def status(self):
        """What the agent says; None while nobody answers."""
        text = self.machine.sh("backstay status --json", 10)
        try:
            return json.loads(text) if text else None
        except ValueError:
            return None

    def wait_up(self, seconds=240):
        """The agent's status, as soon as it has one; None when nothing comes up in that time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            s = self.status()
            if s and s.get("running"):
                return s
            time.sleep(0.3)
        return None

    def image_number(self):
        """Of the image that really runs: asked of its own file system."""
        text = self.machine.sh("cat /etc/image-number", 10)
        return int(text.split()[0]) if text else 1

    def complaints(self, s):
        """What is wrong with a record, at any time. `s` is the agent's status."""
        out = []
        slots = {x["name"]: x for x in s["slots"]}
        booted = (self.machine.sh("cat /proc/cmdline", 10) or "").partition("backstay.slot=")[2][:1].lower()
        if s["state"] == "stuck":
            out.append("it is stuck")
        if [x["mark"] for x in slots.values() if x["active"] or x["confirmed"]].count("valid") != \
                sum(1 for x in slots.values() if x["active"] or x["confirmed"]):
            out.append(f"a slot that is active or confirmed is not valid: {s['slots']}")
        if sum(x["confirmed"] for x in slots.values()) != 1 or sum(x["active"] for x in slots.values()) != 1:
            out.append(f"not one slot is active and one confirmed: {s['slots']}")
        if s["running"]["slot"] != booted:
            out.append(f"it says that slot {s['running']['slot']} runs, but {booted} was started")
        elif slots[booted]["mark"] == "valid" and slots[booted]["release"] != f"vm-{self.image_number()}":
            out.append(f"slot {booted} is marked {slots[booted]['release']}, but holds vm-{self.image_number()}")
        if any("the journal could not be used" in text for _, text in self.machine.lines):
            out.append("the journal could not be used: see the console")
        lost = self.quarantine - {q["release"] for q in s["quarantine"]}
        if lost:
            out.append(f"quarantine lost {sorted(lost)}")
        self.quarantine |= {q["release"] for q in s["quarantine"]}
        return out

    # ---- an update ------------------------------------------------------------------------------------------------------

    def order(self, name):
        self.running = self.wait_up()["running"]["release"]
        return self.fleet.order(name)

    def is_over(self, campaign):
        return self.fleet.phase(campaign) in ENDED

    def wait_over(self, campaign, seconds=900):
        factory.wait(seconds, f"{campaign} to end", lambda: self.is_over(campaign))

    def outcome(self, release):
        """The newest outcome of a release that the device reported."""
        for r in self.fleet.reports():
            if r["kind"] == "outcome" and r.get("target") == release:
                return r
        return None

    def end_complaints(self, release):
        """What is wrong after an update: it is committed and runs, or the old one runs; and the record agrees with both."""
        end = time.monotonic() + 240
        while True:
            s, o = self.wait_up(), self.outcome(release)
            if (s and s["state"] == "idle" and o) or time.monotonic() > end:
                break
            time.sleep(0.5)
        if not s or not o:
            return [f"no end: the agent says {s}, the server has {o}"], o
        want = release if o["state"] == "committed" else self.running
        out = self.complaints(s)
        if s["running"]["release"] != want:
            out.append(f"{o['state']}, but {s['running']['release']} runs and not {want}")
        for x in s["slots"]:
            if (x["active"] or x["confirmed"]) and x["name"] != s["running"]["slot"]:
                out.append(f"slot {x['name']} does not run and is active or confirmed")
        if o["state"] == "committed" and self.kinds[release] != "good":
            out.append(f"a release that is {self.kinds[release]} was committed")
        return out, o
