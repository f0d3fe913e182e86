/* Where a file server of this folder serves: a socket that listens on 127.0.0.1, and a folder. Plain calls: it is set up
 * before there is a loop. */
#ifndef LAIO_EXAMPLES_PLACE_H
#define LAIO_EXAMPLES_PLACE_H

#include <netinet/in.h>

struct place {
    int listener;
    int folder;
};

/* From the command line, "FOLDER [PORT]"; says where it is. 0, or an exit status after a message. */
int place_from_arguments(struct place *place, int argc, char **argv);

/* The same from the folder's path; port 0: the kernel chooses. -1/errno. */
int place_open(struct place *place, const char *path, unsigned short port);

unsigned short place_port(const struct place *place);

/* 127.0.0.1 */
struct sockaddr_in loopback(unsigned short port);

#endif
