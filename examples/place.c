/* See place.h. */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier): the C library's name */
#include "place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct sockaddr_in loopback(unsigned short port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int listen_at(unsigned short port) {
    const int on = 1;
    const struct sockaddr_in address = loopback(port);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener == -1 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1 ||
        bind(listener, (const struct sockaddr *)&address, sizeof address) == -1 || listen(listener, 128) == -1)
        return -1;
    return listener;
}

int place_open(struct place *place, const char *path, unsigned short port) {
    place->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    place->listener = listen_at(port);
    return place->folder == -1 || place->listener == -1 ? -1 : 0;
}

unsigned short place_port(const struct place *place) {
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;

    return getsockname(place->listener, (struct sockaddr *)&address, &size) == 0 ? ntohs(address.sin_port) : 0;
}

int place_from_arguments(struct place *place, int argc, char **argv) {
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s FOLDER [PORT] | --self-test\n", argv[0]);
        return 2;
    }
    if (place_open(place, argv[1], argc == 3 ? (unsigned short)strtoul(argv[2], NULL, 10) : 0) == -1) {
        perror(argv[0]);
        return 1;
    }
    printf("serving %s: echo NAME | nc 127.0.0.1 %d\n", argv[1], place_port(place));
    fflush(stdout);
    return 0;
}
