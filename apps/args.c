/* args.c - the command line of the sample programs.
 * SPDX-License-Identifier: MIT
 */
#include "args.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The command line while it is read. */
typedef struct args_reader {
    const args_program *program;
    char **next; /* NULL behind the last word */
    char *message;
} args_reader;

/* Digits and nothing else, within MIN and MAX. */
static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *value_p)
{
    uint64_t value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = 10 * value + digit;
    }
    if (value < min || value > max)
        return false;
    *value_p = value;
    return true;
}

static bool read_word(const char *text, const char *const *words, uint64_t *value_p)
{
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value_p = i;
            return true;
        }
    }
    return false;
}

/* What the user wrote, in quotes, on one line and not too long. */
static const char *quoted(const char *text, char quote[72])
{
    size_t length = 0;

    quote[length++] = '"';
    for (; *text && length < 64; text++)
        quote[length++] = iscntrl((unsigned char)*text) ? '?' : *text;
    strcpy(quote + length, *text ? "...\"" : "\"");
    return quote;
}

static args_outcome refuse(args_reader *reader, const char *who, const char *wants,
                           const char *got)
{
    char quote[72];

    snprintf(reader->message, ARGS_MESSAGE_MAX, "%s: %s%swants %s, got %s",
             reader->program->name, who, *who ? " " : "", wants,
             got ? quoted(got, quote) : "nothing");
    return ARGS_BAD;
}

static args_outcome refuse_unknown(args_reader *reader, const char *what, const char *got)
{
    char quote[72];

    snprintf(reader->message, ARGS_MESSAGE_MAX, "%s: %s %s; --help lists what there is",
             reader->program->name, what, quoted(got, quote));
    return ARGS_BAD;
}

static const char *wanted_number(uint64_t min, uint64_t max, char text[64])
{
    snprintf(text, 64, "a number from %" PRIu64 " to %" PRIu64, min, max);
    return text;
}

/* "a, b or c" */
static const char *wanted_word(const char *const *words, char text[64])
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; words[i] && length < 64; i++) {
        const char *join = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        length += (size_t)snprintf(text + length, 64 - length, "%s%s", join, words[i]);
    }
    return text;
}

static const char *wanted(const args_option *option, char text[64])
{
    return option->words ? wanted_word(option->words, text)
                         : wanted_number(option->min, option->max, text);
}

/* The option that WORD names, as "--name" or "--name=value"; *VALUE_P is the
 * value's text in the second form and NULL in the first. */
static const args_option *find_option(const args_program *program, const char *word,
                                      const char **value_p)
{
    size_t length = strcspn(word, "=");

    *value_p = word[length] == '=' ? word + length + 1 : NULL;
    for (const args_option *option = program->options; option->name; option++)
        if (strlen(option->name) == length && strncmp(word, option->name, length) == 0)
            return option;
    return NULL;
}

static args_outcome read_option(args_reader *reader, const char *word)
{
    const char *value;
    const args_option *option = find_option(reader->program, word, &value);
    char text[64];

    if (!option)
        return refuse_unknown(reader, "unknown option", word);
    if (!value && *reader->next)
        value = *reader->next++;
    if (!value)
        return refuse(reader, option->name, wanted(option, text), NULL);
    bool read = option->words
                    ? read_word(value, option->words, option->value_p)
                    : read_number(value, option->min, option->max, option->value_p);
    return read ? ARGS_OK : refuse(reader, option->name, wanted(option, text), value);
}

static args_outcome read_plain(args_reader *reader, const char *word)
{
    const args_program *program = reader->program;
    char text[64];

    if (program->max == 0)
        return refuse_unknown(reader, "unknown argument", word);
    if (!read_number(word, program->min, program->max,
                     &program->numbers[*program->count_p]))
        return refuse(reader, "", wanted_number(program->min, program->max, text), word);
    ++*program->count_p;
    return ARGS_OK;
}

/* A negative number is a number, though not a right one. */
static bool is_option(const char *word)
{
    return word[0] == '-' && !isdigit((unsigned char)word[1]);
}

args_outcome args_read(const args_program *program, int argc, char **argv,
                       char message[ARGS_MESSAGE_MAX])
{
    args_reader reader = {program, argv + (argc > 0), message};
    args_outcome outcome = ARGS_OK;

    if (program->count_p)
        *program->count_p = 0;
    while (outcome == ARGS_OK && *reader.next) {
        const char *word = *reader.next++;
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
            return ARGS_HELP;
        outcome =
            is_option(word) ? read_option(&reader, word) : read_plain(&reader, word);
    }
    return outcome;
}

void args_help(const args_program *program)
{
    char text[64];

    printf("%s: %s\n\nusage: %s [options]%s\n\n", program->name, program->about,
           program->name, program->max ? " [number ...]" : "");
    if (program->max)
        printf("  number ...\n      %s; %s each\n", program->numbers_help,
               wanted_number(program->min, program->max, text));
    for (const args_option *option = program->options; option->name; option++)
        printf("  %s %s\n      %s; %s\n", option->name, option->words ? "WORD" : "NUMBER",
               option->help, wanted(option, text));
    printf("  --help\n      print this and end\n");
}
