#!/usr/bin/env python3
"""A collector that takes OTLP/HTTP metrics in JSON and refuses whatever the published schema does not allow.

otlp_receiver.py FOLDER: writes its port to FOLDER/port, the newest request that it has taken to FOLDER/last.json, the reason of a refusal
to FOLDER/refused, and counts both in FOLDER/counts. While FOLDER/busy is there, it answers 503 with Retry-After.

The schema: opentelemetry-proto 1.x, ExportMetricsServiceRequest, and the JSON encoding that the OTLP specification states (64-bit
integers as decimal text, lowerCamelCase names, unknown names are no error to a collector, but to this one they are).
"""
import http.server
import json
import os
import re
import sys

FOLDER = sys.argv[1]
COUNTS = {"taken": 0, "refused": 0, "busy": 0}


def need(condition, what):
    if not condition:
        raise ValueError(what)


def members(o, where, required, optional=()):
    need(isinstance(o, dict), f"{where}: no object")
    for name in required:
        need(name in o, f"{where}.{name}: missing")
    for name in o:
        need(name in required or name in optional, f"{where}.{name}: not in the schema")


def is_u64(v, where):
    need(isinstance(v, str) and re.fullmatch(r"[0-9]{1,20}", v) and int(v) < 2**64, f"{where}: no fixed64 as text")


def attributes(v, where):
    need(isinstance(v, list), f"{where}: no array")
    seen = set()
    for a in v:
        members(a, where, ["key", "value"])
        need(isinstance(a["key"], str) and a["key"] and a["key"] not in seen, f"{where}: key {a['key']}")
        seen.add(a["key"])
        members(a["value"], where, [], ["stringValue", "intValue", "doubleValue", "boolValue"])
        need(len(a["value"]) == 1, f"{where}: one value")
        need(isinstance(a["value"].get("stringValue", ""), str), f"{where}: stringValue")


def times(p, where):
    is_u64(p["startTimeUnixNano"], where + ".startTimeUnixNano")
    is_u64(p["timeUnixNano"], where + ".timeUnixNano")
    need(int(p["startTimeUnixNano"]) <= int(p["timeUnixNano"]), where + ": it ends before it starts")


POINT = ["attributes", "startTimeUnixNano", "timeUnixNano"]


def number_point(p, where):
    members(p, where, POINT, ["asInt", "asDouble"])
    need(("asInt" in p) != ("asDouble" in p), where + ": one of asInt and asDouble")
    if "asInt" in p:
        need(isinstance(p["asInt"], str) and re.fullmatch(r"-?[0-9]{1,19}", p["asInt"]), where + ".asInt")
    else:
        need(isinstance(p["asDouble"], (int, float)), where + ".asDouble")


def hist_point(p, where):
    members(p, where, POINT + ["count", "bucketCounts", "explicitBounds"], ["sum", "min", "max"])
    is_u64(p["count"], where + ".count")
    for c in p["bucketCounts"]:
        is_u64(c, where + ".bucketCounts")
    bounds = p["explicitBounds"]
    need(all(isinstance(b, (int, float)) for b in bounds), where + ".explicitBounds")
    need(all(a < b for a, b in zip(bounds, bounds[1:])), where + ".explicitBounds: they must rise")
    need(len(p["bucketCounts"]) == len(bounds) + 1, where + ": one more count than bounds")
    need(sum(map(int, p["bucketCounts"])) == int(p["count"]), where + ".count is not the sum")


def metric(m, where):
    members(m, where, ["name"], ["description", "unit", "sum", "gauge", "histogram"])
    forms = [f for f in ("sum", "gauge", "histogram") if f in m]
    need(len(forms) == 1, where + ": one form")
    data = m[forms[0]]
    required = {"sum": ["dataPoints", "aggregationTemporality", "isMonotonic"], "gauge": ["dataPoints"],
                "histogram": ["dataPoints", "aggregationTemporality"]}[forms[0]]
    members(data, where, required)
    if "aggregationTemporality" in data:
        need(data["aggregationTemporality"] in (1, 2), where + ".aggregationTemporality")
    for p in data["dataPoints"]:
        (hist_point if forms[0] == "histogram" else number_point)(p, where)
        attributes(p["attributes"], where)
        times(p, where)


def request(r):
    members(r, "request", ["resourceMetrics"])
    for rm in r["resourceMetrics"]:
        members(rm, "resourceMetrics", ["resource", "scopeMetrics"], ["schemaUrl"])
        members(rm["resource"], "resource", ["attributes"], ["droppedAttributesCount"])
        attributes(rm["resource"]["attributes"], "resource")
        need(any(a["key"] == "service.name" for a in rm["resource"]["attributes"]), "resource: service.name")
        for sm in rm["scopeMetrics"]:
            members(sm, "scopeMetrics", ["scope", "metrics"], ["schemaUrl"])
            members(sm["scope"], "scope", ["name"], ["version", "attributes"])
            need(sm["metrics"], "scopeMetrics.metrics: none")
            for m in sm["metrics"]:
                metric(m, m.get("name", "metric"))


def write(name, text):
    with open(f"{FOLDER}/{name}.new", "w") as f:
        f.write(text)
    os.rename(f"{FOLDER}/{name}.new", f"{FOLDER}/{name}")


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, what, more=()):
        COUNTS[what] += 1
        write("counts", json.dumps(COUNTS))
        self.send_response(status)
        for name, value in more:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if os.path.exists(f"{FOLDER}/busy"):
            self.answer(503, "busy", [("Retry-After", "1")])
            return
        try:
            need(self.path == "/v1/metrics", "path " + self.path)
            need(self.headers["Content-Type"] == "application/json", "Content-Type")
            need(self.headers["Authorization"] == "Bearer collector-token", "Authorization")
            request(json.loads(body))
        except (ValueError, KeyError, TypeError) as error:
            write("refused", f"{error}\n{body.decode(errors='replace')}")
            self.answer(400, "refused")
            return
        write("last.json", body.decode())
        self.answer(200, "taken")

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
write("port", str(server.server_port))
server.serve_forever()
