/* The other side of the self-test of the file servers of this folder. Nothing here knows laio: clients are plain blocking
 * code in a process of their own.
 */
#ifndef LAIO_EXAMPLES_SELF_TEST_H
#define LAIO_EXAMPLES_SELF_TEST_H

#include "place.h"

#include <sys/types.h>

/* A place with a new folder, in it files of several sizes. -1/errno. */
int make_test_place(struct place *place);
void remove_test_place(void);

/* Each starts a process and returns its id. It ends with 0 if everything was as it should be.
 * Fetching: many connections at once, every file compared byte for byte; names that are none; clients that go away.
 * Silent: connects, says nothing, and expects to be hung up on. */
pid_t start_fetching_clients(const struct place *place);
pid_t start_silent_client(const struct place *place);

#endif
