/* What the two file servers of this folder share: a listening socket, and the other side of their self-test. Nothing here
 * knows laio: clients are plain blocking code in a process of their own.
 */
#ifndef LAIO_EXAMPLES_SELF_TEST_H
#define LAIO_EXAMPLES_SELF_TEST_H

#include <sys/types.h>

/* A socket that listens on 127.0.0.1; port 0: the kernel chooses. -1/errno. */
int listen_on_loopback(unsigned short port);

/* The port of such a socket. */
unsigned short port_of(int listener);

/* A new folder with files of several sizes, its name in `path`. -1/errno. */
#define TEST_FOLDER "/tmp/laio-example-XXXXXX"
int make_test_folder(char path[sizeof TEST_FOLDER]);
void remove_test_folder(const char *path);

/* Each starts a process and returns its id. It ends with 0 if everything was as it should be.
 * Fetching: many connections at once, every file compared byte for byte; names that are none; clients that go away.
 * Silent: connects, says nothing, and expects to be hung up on. */
pid_t start_fetching_clients(int listener);
pid_t start_silent_client(int listener);

#endif
