/* warning.c - what a job says that is no error.
 * SPDX-License-Identifier: MIT */
#include "warning.h"

#include <stdio.h>

static void (*heard_by)(const char *text);
static int speaker;

void warning_set(void (*callback)(const char *text), int new_speaker)
{
    heard_by = callback;
    speaker = new_speaker;
}

int warning_speaker(void)
{
    return speaker;
}

void warning_say(const char *text)
{
    if (heard_by)
        heard_by(text);
    else
        fprintf(stderr, "par: %s\n", text);
}
