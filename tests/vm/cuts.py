"""The plug is pulled at chosen and random instants of updates that succeed and of updates that are taken back; and again while the
machine comes up after that. After each cut it must start, and what it remembers must be true."""
import random
import time

# What begins a phase, on the console; how many seconds after that the power may go away; in which updates it happens.
PHASES = [
    ("staging", r"state=staging ", 14.0, "both"),
    ("sealing", r"state=sealed ", 1.0, "both"),
    ("switching", r"state=switching ", 0.4, "both"),
    ("restart", r"state=starting ", 8.0, "both"),
    ("loader", r"slot ., try 1", 2.5, "both"),
    ("kernel", r"backstay-deadman: trial=1", 8.0, "both"),
    ("soaking", r"state=soaking ", 6.0, "both"),
    ("committing", r"state=committing ", 0.4, "good"),
    ("committed", r"state=committed ", 1.0, "good"),
    ("reverting", r"state=reverting ", 0.4, "slow"),
    ("restoring", r"state=restoring ", 8.0, "slow"),
    ("back", r"state=reverted ", 1.0, "slow"),
]
RECOVERY_SECONDS = 16.0
PATIENCE = 150  # seconds that a phase is waited for; one that does not come any more (after another cut) is cut then


class Campaign:
    def __init__(self, bed, seed):
        self.bed, self.random = bed, random.Random(seed)
        self.n = self.updates = 0
        self.campaign = self.release = None
        self.failed = []
        self.counts = {}
        self.ends = {}

    # ---- updates ----------------------------------------------------------------------------------------------------

    def begin_update(self):
        kind = self.random.choice(["good", "slow"])
        self.release = self.bed.release(kind)
        self.mark = self.bed.machine.mark()
        self.campaign = self.bed.order(self.release)
        self.updates += 1

    def end_update(self):
        """An update that was cut must end, too: new and confirmed, or old and confirmed."""
        self.bed.wait_over(self.campaign)
        wrong, o = self.bed.end_complaints(self.release)
        how = f"{o['state']} {o.get('cause') or ''}".strip() if o else "no end"
        self.ends[f"{self.bed.kinds[self.release]} {how}"] = self.ends.get(f"{self.bed.kinds[self.release]} {how}", 0) + 1
        print(f"{'ok  ' if not wrong else 'FAIL'} update   {self.release} ({self.bed.kinds[self.release]}): {how}", flush=True)
        self.complain(f"end of {self.release}", wrong)
        self.campaign = None

    # ---- cuts --------------------------------------------------------------------------------------------------------

    def phases(self):
        kind = self.bed.kinds[self.release]
        return [p for p in PHASES if p[3] in ("both", kind)]

    def cut_in_phase(self, phase):
        name, pattern, longest, _ = phase
        after = self.random.uniform(0, longest)
        came, end = None, time.monotonic() + PATIENCE
        while not came and time.monotonic() < end:
            came = self.bed.machine.wait_line(pattern, 2, self.mark)
            if not came and self.bed.is_over(self.campaign):
                return None
        time.sleep(after)
        self.bed.machine.cut()
        return f"{name if came else 'waiting'} +{after:.2f} s"

    def cut_in_recovery(self):
        after = self.random.uniform(0.2, RECOVERY_SECONDS)
        self.bed.machine.start()
        time.sleep(after)
        self.bed.machine.cut()
        return f"recovery +{after:.2f} s"

    def account(self, instant, up, wrong):
        self.n += 1
        phase = instant.split()[0]
        self.counts[phase] = self.counts.get(phase, 0) + 1
        print(f"{'ok  ' if not wrong else 'FAIL'} cut {self.n:<4} {instant:20} {up}", flush=True)
        self.complain(f"cut {self.n}", wrong)

    def complain(self, what, wrong):
        for w in wrong:
            print(f"     {w}", flush=True)
        if wrong:
            self.failed.append(what)

    def come_up(self, instant):
        self.mark = self.bed.machine.mark()
        began = time.monotonic()
        self.bed.machine.start()
        s = self.bed.wait_up()
        took = time.monotonic() - began
        if not s:
            self.account(instant, f"nothing for {took:.0f} s", ["it does not come up"])
            return False
        wrong = self.bed.complaints(s)
        self.account(instant, f"up in {took:5.1f} s: slot {s['running']['slot'].upper()}, {s['running']['release']}, {s['state']}", wrong)
        return True

    def run(self, cuts):
        while self.n < cuts:
            if self.campaign is None:
                self.begin_update()
                left = self.random.randint(1, 4)
            phases = self.phases()
            seen = [p for p in phases if self.bed.machine.wait_line(p[1], 0, self.mark)]
            ahead = phases[phases.index(seen[-1]):] if seen else phases
            instant = self.cut_in_phase(self.random.choice(ahead))
            if instant is None:
                self.end_update()
                continue
            while self.n + 1 < cuts and self.random.random() < 0.5:
                self.account(instant, "cut again while it comes up", [])
                instant = self.cut_in_recovery()
            if not self.come_up(instant):
                return
            left -= 1
            if left == 0:
                self.end_update()
        if self.campaign:
            self.end_update()


def campaign(bed, cuts, seed):
    print(f"cuts: {cuts}, seed {seed}", flush=True)
    c = Campaign(bed, seed)
    began = time.monotonic()
    c.run(cuts)
    print(f"cuts: {c.n} in {time.monotonic() - began:.0f} s ({', '.join(f'{k} {v}' for k, v in sorted(c.counts.items()))}); updates: {c.updates} "
          f"({', '.join(f'{k} {v}' for k, v in sorted(c.ends.items()))}); violations: {len(c.failed)}; seed {seed}", flush=True)
    return c.failed
