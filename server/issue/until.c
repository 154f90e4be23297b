#include "server/issue/until.h"

#include <mbedtls/x509_crt.h>
#include <time.h>

int certificate_until(const char *path, int64_t *out_s, struct err *e)
{
	mbedtls_x509_crt crt;
	struct tm tm;
	int rc;

	mbedtls_x509_crt_init(&crt);
	rc = mbedtls_x509_crt_parse_file(&crt, path);
	tm = (struct tm){.tm_year = crt.valid_to.year - 1900,
		.tm_mon = crt.valid_to.mon - 1,
		.tm_mday = crt.valid_to.day,
		.tm_hour = crt.valid_to.hour,
		.tm_min = crt.valid_to.min,
		.tm_sec = crt.valid_to.sec};
	mbedtls_x509_crt_free(&crt);
	if (rc != 0)
		return err_set(e, ERR_CONFIG, "%s: no certificate", path);
	*out_s = timegm(&tm);
	return 0;
}
