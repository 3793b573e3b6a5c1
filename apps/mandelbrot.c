/* mandelbrot.c - the Mandelbrot set, its rows computed by whoever is free.
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "must.h"
#include "par.h"
#include "program.h"

static const double left = -2.2, right = 0.8, bottom = -1.125, top = 1.125;

static uint64_t width = 400, height = 300, iterations = 255;

static const args_option options[] = {
    {"--width", "in pixels, 400 unless given", NULL, 1, 10000, &width},
    {"--height", "in pixels, 300 unless given", NULL, 1, 10000, &height},
    {"--iterations",
     "after how many steps a point counts as one of the set, 255 unless given", NULL, 1,
     100000, &iterations},
    {NULL, NULL, NULL, 0, 0, NULL},
};

static const args_program program = {
    .name = "mandelbrot",
    .about = "the Mandelbrot set as PGM on stdout; a row is a task of a pool",
    .options = options,
};

static const par_content bytes = {.kind = PAR_ARRAY, .type = PAR_BYTE, .dims = 1};

/* The set is black, and all else the brighter the sooner it leaves. */
static unsigned char grey(double re, double im)
{
    double x = 0, y = 0;
    uint64_t count = 0;

    for (; count < iterations && x * x + y * y <= 4; count++) {
        double next = x * x - y * y + re;

        y = 2 * x * y + im;
        x = next;
    }
    return count == iterations ? 0 : (unsigned char)(255 - 255 * count / iterations);
}

static void compute(uint64_t row, unsigned char *pixels)
{
    double im = top - (top - bottom) * ((double)row + 0.5) / (double)height;

    for (uint64_t i = 0; i < width; i++)
        pixels[i] = grey(left + (right - left) * ((double)i + 0.5) / (double)width, im);
}

static void do_row(par_pool *pool, par_pool_task *task, unsigned char *pixels)
{
    uint64_t row;

    must(par_message_take(par_pool_task_message(task), &(par_part){&row, sizeof row}, 1));
    compute(row, pixels);
    must(par_pool_answer(pool, &task, 0, &bytes, &(par_part){pixels, width}, 1));
}

static void work(par_pool *pool, unsigned char *pixels)
{
    par_pool_task *task;

    for (must(par_pool_take(pool, &task)); task; must(par_pool_take(pool, &task)))
        do_row(pool, task, pixels);
}

/* Write the rows as they come, which is from top to bottom, and compute some meanwhile.
 * COUNTS is how many each rank has computed. */
static void draw(par_pool *pool, unsigned char *pixels, uint64_t *counts)
{
    int channel;
    uint64_t number;

    must(par_pool_channel_open(pool, true, NULL, &channel));
    for (uint64_t row = 0; row < height; row++)
        must(par_pool_submit(pool, channel, 0, &bytes, &(par_part){&row, sizeof row}, 1,
                             NULL, &number));
    printf("P5\n%" PRIu64 " %" PRIu64 "\n255\n", width, height);
    for (;;) {
        par_pool_result *result;
        par_pool_task *task;
        par_pool_turn turn;

        must(par_pool_wait(pool, channel, -1, &result, &task, &turn));
        if (turn == PAR_POOL_NOTHING)
            return;
        if (turn == PAR_POOL_TASK) {
            do_row(pool, task, pixels);
            continue;
        }
        fwrite(par_message_body(*par_pool_result_message(result)), 1, width, stdout);
        counts[par_pool_result_worker(result)]++;
        par_pool_result_free(&result);
    }
}

static void report(const uint64_t *counts, int size, double seconds)
{
    for (int rank = 0; rank < size; rank++)
        fprintf(stderr, "rank %d computed %" PRIu64 " rows\n", rank, counts[rank]);
    fprintf(stderr, "time %.3f s\n", seconds);
}

static void run(par_comm *world)
{
    unsigned char *pixels = malloc(width);
    uint64_t *counts = calloc((size_t)par_size(world), sizeof *counts);
    par_pool *pool;

    if (!pixels || !counts)
        fail(EXIT_FAILURE, "mandelbrot: no memory for %" PRIu64 " pixels", width);
    must(par_pool_open(world, NULL, &pool));
    double start = par_time();
    if (par_rank(world) == 0) {
        draw(pool, pixels, counts);
        report(counts, par_size(world), par_time() - start);
        must(par_pool_stop(pool, false));
    } else {
        work(pool, pixels);
    }
    must(par_pool_close(&pool));
    if (fflush(stdout) == EOF || ferror(stdout))
        fail(EXIT_FAILURE, "mandelbrot: the picture cannot be written");
    free(counts);
    free(pixels);
}

int main(int argc, char **argv)
{
    return program_run(&program, argc, argv, run);
}
