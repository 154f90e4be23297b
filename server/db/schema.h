/* The store's schema as a list of steps, oldest first. A step that has been released is never
 * edited: a new one is added behind it. */
#ifndef SERVER_DB_SCHEMA_H
#define SERVER_DB_SCHEMA_H

/* Ended by NULL; migration N stands at N - 1. */
extern const char *const schema_migrations[];

#endif
