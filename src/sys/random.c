#include "sys/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/assert.h"

void random_bytes(void *bytes, size_t length)
{
	for (size_t got = 0; got < length;) {
		ssize_t more = getrandom((char *)bytes + got, length - got, 0);
		ASSERT(more > 0 || errno == EINTR);
		if (more > 0)
			got += (size_t)more;
	}
}
