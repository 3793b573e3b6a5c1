/* right.c - programs that wait long and end.
 * SPDX-License-Identifier: MIT
 *
 *     mpirun -np 2 right a_late_sender
 *
 * RANKS says how many a program wants.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

enum { LONG = 4 }; /* seconds, of which a detector that is too eager makes something */

static char room[1 << 20];

static void compute(int seconds)
{
    double end = par_time() + seconds;

    while (par_time() < end)
        ;
}

static void send(par_comm *comm, int dest)
{
    must(par_send(comm, "x", 1, PAR_CHAR, dest, 7));
}

static void receive(par_comm *comm, int source)
{
    char x = 0;

    must(par_receive(comm, &x, 1, PAR_CHAR, source, 7, NULL));
    if (x != 'x')
        par_abort(4, NULL);
}

RANKS(3)
static void a_late_sender(par_comm *world)
{
    if (me) {
        receive(world, 0);
        return;
    }
    sleep(LONG);
    for (int dest = 1; dest < size; dest++)
        send(world, dest);
}

RANKS(4)
static void a_rank_computes_before_the_barrier(par_comm *world)
{
    if (me == 3)
        compute(LONG);
    must(par_barrier(world));
}

RANKS(2)
static void large_sends_cross_where_receives_were_started(par_comm *world)
{
    par_request *request;

    must(par_receive_start(world, room, sizeof room, PAR_BYTE, 1 - me, 7, &request));
    if (me)
        sleep(LONG);
    must(par_send(world, large, sizeof large, PAR_BYTE, 1 - me, 7));
    must(par_wait(&request, NULL));
}

static par_comm *everybody;

static void *send_late(void *unused)
{
    sleep(LONG);
    send(everybody, 1 - me);
    return unused;
}

RANKS(2)
static void a_thread_sends_what_both_wait_for(par_comm *world)
{
    pthread_t thread;

    everybody = world;
    if (pthread_create(&thread, NULL, send_late, NULL))
        par_abort(5, NULL);
    receive(world, 1 - me);
    pthread_join(thread, NULL);
}

RANKS(2)
static void tests_until_it_gives_up(par_comm *world)
{
    char x;
    bool done = false;
    par_request *request;

    if (me == 0) {
        receive(world, 1);
        return;
    }
    must(par_receive_start(world, &x, 1, PAR_CHAR, 0, 8, &request));
    for (double end = par_time() + LONG; par_time() < end;)
        must(par_test(&request, NULL, &done));
    must(par_cancel(request, &done));
    if (!done || par_wait(&request, NULL) != PAR_ERR_CANCELLED)
        par_abort(6, NULL);
    send(world, 0);
}

RANKS(3)
static void a_wait_for_some_ends_by_its_time(par_comm *world)
{
    char x;
    size_t index, done;
    par_request *request;

    must(par_receive_start(world, &x, 1, PAR_CHAR, (me + 1) % size, 7, &request));
    must(par_wait_some(&request, 1, LONG, &index, &done));
    send(world, (me + size - 1) % size);
    must(par_wait(&request, NULL));
}

RANKS(4)
static void the_end_is_late(par_comm *world)
{
    (void)world;
    if (me == 1)
        sleep(LONG);
}

RANKS(4)
static void parts_of_the_world_are_busy(par_comm *world)
{
    par_comm *part;

    must(par_split(world, me / 2, 0, &part));
    if (me == 1)
        receive(world, 3);
    if (me == 3) {
        sleep(LONG);
        send(world, 1);
    }
    must(par_barrier(part));
    must(par_comm_free(&part));
}

/* What rank 0 and a child of it have in common. */
typedef struct shared {
    pthread_mutex_t mutex;
    atomic_bool held;
} shared;

static shared *make_shared(void)
{
    shared *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;

    if (s == MAP_FAILED || pthread_mutexattr_init(&attributes) ||
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) ||
        pthread_mutex_init(&s->mutex, &attributes))
        par_abort(5, NULL);
    return s;
}

static void *send_once_it_is_free(void *argument)
{
    shared *s = argument;

    pthread_mutex_lock(&s->mutex);
    send(everybody, 1);
    return NULL;
}

RANKS(2)
static void a_thread_waits_for_a_lock_that_another_process_holds(par_comm *world)
{
    shared *s;
    pthread_t thread;
    pid_t child;

    if (me == 1) {
        receive(world, 0);
        send(world, 0);
        return;
    }
    everybody = world;
    s = make_shared();
    child = fork();
    if (!child) {
        pthread_mutex_lock(&s->mutex);
        s->held = true;
        sleep(LONG);
        pthread_mutex_unlock(&s->mutex);
        _exit(0);
    }
    while (child > 0 && !s->held)
        usleep(1000);
    if (child < 0 || pthread_create(&thread, NULL, send_once_it_is_free, s))
        par_abort(5, NULL);
    receive(world, 1);
    pthread_join(thread, NULL);
    waitpid(child, NULL, 0);
}

const program programs[] = {
    PROGRAM(a_late_sender),
    PROGRAM(a_rank_computes_before_the_barrier),
    PROGRAM(large_sends_cross_where_receives_were_started),
    PROGRAM(a_thread_sends_what_both_wait_for),
    PROGRAM(tests_until_it_gives_up),
    PROGRAM(a_wait_for_some_ends_by_its_time),
    PROGRAM(the_end_is_late),
    PROGRAM(parts_of_the_world_are_busy),
    PROGRAM(a_thread_waits_for_a_lock_that_another_process_holds),
    {NULL, NULL},
};
