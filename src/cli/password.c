#include "cli/password.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* What the terminal was like, and whether that has to be restored: for the signal handler, so for the process. */
static struct termios before;
static volatile sig_atomic_t is_changed;

void password_restore_terminal(void)
{
	if (is_changed)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	is_changed = 0;
}

static void silence_terminal(void)
{
	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return;
	struct termios silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	is_changed = 1;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
}

bool password_read(const char *account, char password[PASSWORD_BYTES], struct error *error)
{
	bool is_terminal = isatty(STDIN_FILENO);
	if (is_terminal) {
		fprintf(stderr, "password of %s: ", account);
		silence_terminal();
	}
	bool ok = fgets(password, PASSWORD_BYTES, stdin) != NULL;
	if (is_terminal) {
		password_restore_terminal();
		fputc('\n', stderr);
	}
	if (!ok)
		return error_set(error, ERR_INVALID, "there is no password on standard input");
	size_t length = strcspn(password, "\r\n");
	if (length + 1 == PASSWORD_BYTES)
		return error_set(error, ERR_INVALID, "a password has less than %d bytes", PASSWORD_BYTES - 1);
	password[length] = '\0';
	return true;
}
