/* args.h - the command line of the sample programs.
 * SPDX-License-Identifier: MIT
 *
 * Strict: an option that is not known, a missing value, and a number with
 * anything behind it, a sign in front of it or out of its range are refused.
 * All ranks get the same command line and so come to the same conclusion.
 */
#ifndef ARGS_H
#define ARGS_H

#include <stddef.h>
#include <stdint.h>

/* An option: --NAME with a value, which is a number or one of some words. */
typedef struct args_option {
    const char *name; /* with its dashes */
    const char *help;
    const char *const *words; /* the words, NULL behind the last; NULL for a number */
    uint64_t min, max;        /* of a number */
    uint64_t *value_p;        /* set to the number, or to the word's place in WORDS */
} args_option;

/* What a program understands. */
typedef struct args_program {
    const char *name;
    const char *about;
    const args_option *options; /* NAME is NULL behind the last */
    /* The numbers without an option, in the order given; MAX 0 allows none. */
    const char *numbers_help;
    uint64_t min, max;
    uint64_t *numbers; /* room for as many as the command line has words */
    size_t *count_p;
} args_program;

typedef enum args_outcome {
    ARGS_OK,
    ARGS_HELP, /* --help was asked for: print args_help() and succeed */
    ARGS_BAD,  /* MESSAGE says why; exit with ARGS_BAD_STATUS */
} args_outcome;

enum { ARGS_BAD_STATUS = 2, ARGS_MESSAGE_MAX = 256 };

/* Read the command line. Where the outcome is ARGS_BAD, MESSAGE is one line
 * with the program's name in front and no newline. */
args_outcome args_read(const args_program *program, int argc, char **argv,
                       char message[ARGS_MESSAGE_MAX]);

/* Print what PROGRAM understands to stdout. */
void args_help(const args_program *program);

#endif
