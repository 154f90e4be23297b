/* Work that can wait: done in a thread of its own that takes what everybody else leaves of
 * processor and disk. */
#ifndef LIB_SYS_POLITE_H
#define LIB_SYS_POLITE_H

/* Calls f(ctx) and returns when it has ended. As polite as the machine allows; what it refuses to
 * give up is kept. */
void polite_run(void (*f)(void *ctx), void *ctx);

#endif
