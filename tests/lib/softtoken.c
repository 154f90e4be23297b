#include "tests/lib/softtoken.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

void softtoken_write(const char *path, const char *text, unsigned mode)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void run(const char *fmt, ...) PRINTF(1, 2);
static void run(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

void softtoken_make(const char *name)
{
	char dir[400], text[512];

	assert_non_null(getcwd(dir, sizeof dir));
	mkdir("softhsm", 0700);
	snprintf(text, sizeof text,
		"directories.tokendir = %s/softhsm\nobjectstore.backend = file\nlog.level = ERROR\n",
		dir);
	softtoken_write("softhsm.conf", text, 0600);
	snprintf(text, sizeof text, "%s/softhsm.conf", dir);
	assert_int_equal(setenv("SOFTHSM2_CONF", text, 1), 0);
	run("softhsm2-util --init-token --free --label '%s' --pin " SOFTTOKEN_PIN
	    " --so-pin 12345678 >softhsm.log",
		name);
}

void softtoken_import(const char *token, const char *label, const struct sign_key *key)
{
	CLEANUP(sign_wipe) struct buf pem = {0};
	unsigned id = 0;
	struct err e;

	assert_int_equal(sign_key_encode(key, &pem, &e), 0);
	softtoken_write("import.pem", buf_cstr(&pem), 0600);
	for (const char *c = label; *c; c++)
		id = id * 31 + (uint8_t)*c;
	run("softhsm2-util --import import.pem --token '%s' --label '%s' --id %08x --pin " SOFTTOKEN_PIN
	    " >softhsm.log",
		token, label, id);
	unlink("import.pem");
}

void softtoken_uri(const char *token, const char *label, char out[256])
{
	snprintf(out, 256,
		"pkcs11:token=%s;object=%s;type=private?module-path=" SOFTTOKEN_MODULE
		"&pin-source=pin",
		token, label);
}
