#include <stdio.h>
#include <sqlite3.h> /* bad: store alone knows it */
#include <zlib.h> /* bad: nobody may */
