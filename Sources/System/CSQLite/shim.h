#include <sqlite3.h>

/* sqlite3_db_config is variadic, which Swift cannot call. */
static inline int dome_sqlite3_enable(sqlite3 *database, int option) {
    return sqlite3_db_config(database, option, 1, (int *)0);
}
