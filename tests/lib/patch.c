#include "tests/lib/patch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/expect.h"

static json_t *step(json_t *at, const char *key)
{
	json_t *next = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10))
					 : json_object_get(at, key);

	if (!next)
		fail_msg("nothing at \"%s\" to change", key);
	return next;
}

static void put(json_t *at, const char *key, json_t *value)
{
	size_t i = strtoul(key, NULL, 10);

	if (json_is_array(at) && !value)
		assert_int_equal(json_array_remove(at, i), 0);
	else if (json_is_array(at) && i == json_array_size(at))
		assert_int_equal(json_array_append_new(at, value), 0);
	else if (json_is_array(at))
		assert_int_equal(json_array_set_new(at, i, value), 0);
	else if (value)
		assert_int_equal(json_object_set_new(at, key, value), 0);
	else
		assert_int_equal(json_object_del(at, key), 0);
}

/* Values may be what no document may hold, such as fractions, so they are read loosely. */
void patch_write(const json_t *base, const char *path, const char *value, struct buf *out)
{
	JSON_AUTO *root = json_deep_copy(base);
	json_t *at = root;
	char keys[256], *key, *dot, *text;

	buf_clear(out);
	snprintf(keys, sizeof keys, "%s", path);
	for (key = keys; (dot = strchr(key, '.')); key = dot + 1) {
		*dot = 0;
		at = step(at, key);
	}
	if (path[0]) {
		json_t *v = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;

		if (value && !v)
			fail_msg("no JSON: %s", value);
		put(at, key, v);
	}
	text = json_dumps(root, JSON_COMPACT);
	buf_add_str(out, path[0] ? text : value);
	free(text);
}
