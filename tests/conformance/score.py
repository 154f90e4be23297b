"""score.py RESULT.xml: what pytest's report says, in one line, and each test that did not pass. Tests of the
suite's own simulator never start a client, and are counted apart."""

import sys
import xml.etree.ElementTree as tree

SELF_TESTS = "test_repository_simulator"


def main(path):
    try:
        cases = list(tree.parse(path).iter("testcase"))
    except (OSError, tree.ParseError) as why:
        print(f"check-tuf: the suite did not run: {why}")
        return 1
    bad = [c for c in cases if any(c.find(kind) is not None for kind in ("failure", "error", "skipped"))]
    clients = [c for c in cases if SELF_TESTS not in c.get("classname", "")]
    passed = len([c for c in clients if c not in bad])
    others = len(cases) - len(clients)
    for case in bad:
        print(f"not passed: {case.get('classname')}.{case.get('name')}")
    print(f"check-tuf: {passed} of {len(clients)} client tests (+{others} self-tests)")
    return 1 if bad or not clients else 0


sys.exit(main(sys.argv[1]))
