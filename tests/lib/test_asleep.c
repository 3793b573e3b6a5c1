/* test_asleep.c - whether this process can do anything but wait in the library.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "asleep.h"
#include "check_par.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turns;

enum { AN_HOUR = 3600 };

static bool asleep(uint64_t *trace_p)
{
    pid_t here = gettid();

    return asleep_all(&here, 1, NULL, trace_p);
}

/* A thread that has just been made takes its time to fall asleep. */
static bool falls_asleep(uint64_t *trace_p)
{
    for (int i = 0; i < 5000; i++) {
        if (asleep(trace_p))
            return true;
        usleep(2000);
    }
    return false;
}

static void *wait_for_turns(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    while (turns < 2)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void next_turn(void)
{
    pthread_mutex_lock(&mutex);
    turns++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

START_TEST(a_thread_that_waits_for_another_sleeps_and_its_waking_shows)
{
    uint64_t trace, again;
    pthread_t thread;

    turns = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_turns, NULL), 0);
    ck_assert(falls_asleep(&trace));
    ck_assert(asleep(&again));
    ck_assert_uint_eq(again, trace);
    next_turn();
    usleep(1000);
    for (again = trace; again == trace;)
        ck_assert(falls_asleep(&again));
    next_turn();
    pthread_join(thread, NULL);
}
END_TEST

static void *join(void *thread)
{
    pthread_join(*(pthread_t *)thread, NULL);
    return NULL;
}

START_TEST(a_thread_that_joins_another_sleeps)
{
    uint64_t trace;
    pthread_t thread, joiner;

    turns = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_turns, NULL), 0);
    ck_assert_int_eq(pthread_create(&joiner, NULL, join, &thread), 0);
    ck_assert(falls_asleep(&trace));
    next_turn();
    next_turn();
    pthread_join(joiner, NULL);
}
END_TEST

static void on_signal(int number)
{
    (void)number;
}

static void *wait_for_a_signal(void *unused)
{
    pause();
    return unused;
}

START_TEST(a_thread_that_only_a_signal_wakes_sleeps)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    uint64_t trace;
    pthread_t thread;

    sigaction(SIGUSR1, &action, &before);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_a_signal, NULL), 0);
    ck_assert(falls_asleep(&trace));
    pthread_kill(thread, SIGUSR1);
    pthread_join(thread, NULL);
    sigaction(SIGUSR1, &before, NULL);
}
END_TEST

/* THREAD has no way out of its system call but what WAKE does, which may come before it
 * is there. */
static void end_by(void (*wake)(pthread_t thread), pthread_t thread)
{
    while (pthread_tryjoin_np(thread, NULL)) {
        wake(thread);
        usleep(1000);
    }
}

static void *rest(void *unused)
{
    (void)unused;
    nanosleep(&(struct timespec){.tv_sec = AN_HOUR}, NULL);
    return NULL;
}

static void send_signal(pthread_t thread)
{
    pthread_kill(thread, SIGUSR1);
}

START_TEST(a_thread_that_sleeps_for_a_time_goes_on_by_itself)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    uint64_t trace;
    pthread_t thread;

    sigaction(SIGUSR1, &action, &before);
    ck_assert_int_eq(pthread_create(&thread, NULL, rest, NULL), 0);
    for (int i = 0; i < 100; i++)
        ck_assert(!asleep(&trace));
    end_by(send_signal, thread);
    sigaction(SIGUSR1, &before, NULL);
    ck_assert(falls_asleep(&trace)); /* who is joined may have a moment to go still */
}
END_TEST

static void *wait_for_a_time(void *unused)
{
    struct timespec until;

    (void)unused;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += AN_HOUR;
    pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&changed, &mutex, &until);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void broadcast(pthread_t unused)
{
    (void)unused;
    pthread_cond_broadcast(&changed);
}

START_TEST(a_thread_that_waits_with_a_time_limit_goes_on_by_itself)
{
    uint64_t trace;
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_a_time, NULL), 0);
    for (int i = 0; i < 100; i++)
        ck_assert(!asleep(&trace));
    end_by(broadcast, thread);
}
END_TEST

START_TEST(a_timer_or_a_handler_may_end_a_wait)
{
    struct itimerval timer = {.it_value = {.tv_sec = 1000}}, none = {0};

    signal(SIGALRM, SIG_DFL); /* Check has one for its time limits */
    ck_assert(!asleep_until_signal());
    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
    ck_assert(asleep_until_signal());
    ck_assert_int_eq(setitimer(ITIMER_REAL, &none, NULL), 0);
    ck_assert(!asleep_until_signal());
    signal(SIGUSR1, on_signal);
    ck_assert(asleep_until_signal());
    signal(SIGUSR1, SIG_DFL);
    signal(SIGTERM, on_signal);
    ck_assert(!asleep_until_signal());
    signal(SIGTERM, SIG_DFL);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_thread_that_waits_for_another_sleeps_and_its_waking_shows);
    check_add(suite, a_thread_that_joins_another_sleeps);
    check_add(suite, a_thread_that_only_a_signal_wakes_sleeps);
    check_add(suite, a_thread_that_sleeps_for_a_time_goes_on_by_itself);
    check_add(suite, a_thread_that_waits_with_a_time_limit_goes_on_by_itself);
    check_add(suite, a_timer_or_a_handler_may_end_a_wait);
}

const check_program program = {.name = "asleep", .add = add, .alone = true};
