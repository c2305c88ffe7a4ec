/* The floor: sends each datagram back with the bit set that makes it a response, by as many in a system call as came. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

enum { BATCH = 64, SIZE = 4096 + 64 };

int main(void)
{
    static char data[BATCH][SIZE];
    static struct sockaddr_in names[BATCH];
    static struct iovec vectors[BATCH];
    static struct mmsghdr messages[BATCH];
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    int size = 1 << 20, echo = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    setsockopt(echo, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(echo, (struct sockaddr *)&own, sizeof own) || getsockname(echo, (struct sockaddr *)&own, &length))
        return 1;
    printf("%d\n", ntohs(own.sin_port));
    fflush(stdout);
    for (int i = 0; i < BATCH; i++)
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &vectors[i], .msg_iovlen = 1};
    for (struct pollfd readable = {.fd = echo, .events = POLLIN};;) {
        int count;

        poll(&readable, 1, -1);
        for (;;) {
            for (int i = 0; i < BATCH; i++)
                vectors[i] = (struct iovec){data[i], SIZE};
            count = recvmmsg(echo, messages, BATCH, MSG_DONTWAIT, NULL);
            if (count <= 0)
                break;
            for (int i = 0; i < count; i++) {
                vectors[i].iov_len = messages[i].msg_len;
                data[i][2] |= (char)0x80;
            }
            sendmmsg(echo, messages, count, MSG_DONTWAIT);
        }
    }
}
