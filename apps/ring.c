/* ring.c - a token goes around all ranks, and each adds 1 to it.
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "must.h"
#include "par.h"
#include "program.h"

enum { TAG = 1, LINE_MAX_BYTES = 512, SHIFTS = 251 };

static uint64_t laps = 1000, payload_bytes = 0;

static const args_option options[] = {
    {"--laps", "how often the token goes around, 1000 unless given", NULL, 1, 1000000000,
     &laps},
    {"--bytes", "the payload that it carries, 0 unless given", NULL, 0, 1073741824,
     &payload_bytes},
    {NULL, NULL, NULL, 0, 0, NULL},
};

static const args_program program = {
    .name = "ring",
    .about = "a token goes around all ranks, and each adds 1 to it",
    .options = options,
};

/* What travels: the count, then the payload. */
typedef struct ring_token {
    unsigned char *bytes;
    size_t size;
    /* Bytes to fill payloads from, starting at another place for each count, so
     * that what an earlier lap has left in memory is not taken for an arrival. */
    unsigned char *pattern;
} ring_token;

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    if (!memory)
        fail(EXIT_FAILURE, "ring: no memory for %zu bytes", size);
    return memory;
}

static ring_token token_make(void)
{
    ring_token token = {.size = sizeof(uint64_t) + (size_t)payload_bytes};
    size_t pattern_size = (size_t)payload_bytes + SHIFTS;
    uint32_t random = 1;

    token.bytes = allocate(token.size);
    token.pattern = allocate(pattern_size);
    for (size_t i = 0; i < pattern_size; i++) {
        random = random * 1664525 + 1013904223;
        token.pattern[i] = (unsigned char)(random >> 24);
    }
    return token;
}

static void token_free(ring_token *token)
{
    free(token->bytes);
    free(token->pattern);
}

static void token_send(const ring_token *token, uint64_t count, par_comm *world)
{
    int dest = (par_rank(world) + 1) % par_size(world);

    memcpy(token->bytes, &count, sizeof count);
    memcpy(token->bytes + sizeof count, token->pattern + count % SHIFTS,
           (size_t)payload_bytes);
    must(par_send(world, token->bytes, token->size, PAR_BYTE, dest, TAG));
}

/* Receive the token; *DAMAGED_P grows where the payload is not the one that
 * belongs to its count. */
static uint64_t token_receive(const ring_token *token, par_comm *world,
                              uint64_t *damaged_p)
{
    int size = par_size(world);
    int source = (par_rank(world) + size - 1) % size;
    uint64_t count;
    par_status status;

    must(par_receive(world, token->bytes, token->size, PAR_BYTE, source, TAG, &status));
    memcpy(&count, token->bytes, sizeof count);
    if (status.count != token->size ||
        memcmp(token->bytes + sizeof count, token->pattern + count % SHIFTS,
               (size_t)payload_bytes) != 0)
        ++*damaged_p;
    return count;
}

/* The token's last count, on rank 0 alone. */
static uint64_t go_around(const ring_token *token, par_comm *world, uint64_t *damaged_p)
{
    uint64_t count = 0;

    for (uint64_t lap = 0; lap < laps; lap++) {
        if (par_rank(world) == 0) {
            token_send(token, count + 1, world);
            count = token_receive(token, world, damaged_p);
        } else {
            count = token_receive(token, world, damaged_p);
            token_send(token, count + 1, world);
        }
    }
    return count;
}

/* A line for each rank, in the order of the ranks. */
static void print_places(par_comm *world)
{
    char line[LINE_MAX_BYTES], cpus[LINE_MAX_BYTES / 2];
    char *lines = NULL;

    must(par_place_cpus(cpus, sizeof cpus));
    memset(line, 0, sizeof line);
    snprintf(line, sizeof line, "rank %d on %.200s, CPUs %s", par_rank(world),
             par_hostname(), cpus);
    if (par_rank(world) == 0)
        lines = allocate(sizeof line * (size_t)par_size(world));
    must(par_gather(world, line, sizeof line, PAR_CHAR, lines, 0));
    if (lines)
        for (int rank = 0; rank < par_size(world); rank++)
            puts(lines + sizeof line * (size_t)rank);
    fflush(stdout);
    free(lines);
}

static void print_result(par_comm *world, uint64_t count, uint64_t damaged,
                         double seconds)
{
    uint64_t hops = laps * (uint64_t)par_size(world);

    printf("laps %" PRIu64 ", hops %" PRIu64 ", time per hop %.3f us\n", laps, hops,
           seconds / (double)hops * 1e6);
    fflush(stdout);
    if (count != hops)
        fail(EXIT_FAILURE, "ring: token %" PRIu64 " came back, and not %" PRIu64, count,
             hops);
    if (damaged > 0)
        fail(EXIT_FAILURE, "ring: %" PRIu64 " of %" PRIu64 " payloads came damaged",
             damaged, hops);
    printf("token %" PRIu64 " as expected\n", count);
}

static void run(par_comm *world)
{
    ring_token token = token_make();
    uint64_t damaged = 0, all_damaged = 0;

    print_places(world);
    must(par_barrier(world));
    double start = par_time();
    uint64_t count = go_around(&token, world, &damaged);
    double seconds = par_time() - start;
    must(par_reduce(world, &damaged, &all_damaged, 1, PAR_UINT64, PAR_SUM, 0));
    if (par_rank(world) == 0)
        print_result(world, count, all_damaged, seconds);
    token_free(&token);
}

int main(int argc, char **argv)
{
    return program_run(&program, argc, argv, run);
}
