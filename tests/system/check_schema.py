# check_schema.py SCHEMA FILE...: is each file what the JSON schema says?
import json, sys
import jsonschema

with open(sys.argv[1]) as f:
    schema = json.load(f)
validator = jsonschema.validators.validator_for(schema)
validator.check_schema(schema)
wrong = 0
for name in sys.argv[2:]:
    with open(name) as f:
        for e in validator(schema).iter_errors(json.load(f)):
            print(f"{name}: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}")
            wrong += 1
sys.exit(wrong > 0)
