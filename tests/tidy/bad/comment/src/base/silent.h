/*
 * The file has a manual, its first function has not.
 */
#ifndef LULL_BASE_SILENT_H
#define LULL_BASE_SILENT_H

struct silent {
	int value;          /* a comment of a member's own */
};

void silent_init(struct silent *silent); /* bad: this is not above */

/* This one covers both. */
void silent_fini(struct silent *silent);
void silent_reset(struct silent *silent);

int silent_get(const struct silent *silent) /* bad: so is this, of two lines */
	__attribute__((warn_unused_result));

#endif
