/* match.c - messages that have arrived meet receives that wait for them.
 * SPDX-License-Identifier: MIT */
#include "match.h"

void match_init(match_table *table)
{
    for (int i = 0; i < MATCH_BINS; i++) {
        list_init(&table->messages[i]);
        list_init(&table->receives[i]);
    }
    for (int i = 0; i < MATCH_CONTEXTS; i++)
        list_init(&table->by_age[i]);
    list_init(&table->wild_receives);
    table->ages = 0;
}

static unsigned bin_of(unsigned context, int source, int tag)
{
    return ((unsigned)source * 31u + (unsigned)tag + context * 17u) % MATCH_BINS;
}

static bool is_wild(const match_receive *receive)
{
    return receive->source == PAR_ANY_SOURCE || receive->tag == PAR_ANY_TAG;
}

static bool fits(const par_message *message, unsigned context, int source, int tag)
{
    return message->header.context == context &&
           (source == PAR_ANY_SOURCE || source == message->source) &&
           (tag == PAR_ANY_TAG || tag == message->header.tag);
}

static par_message *first_in_bin(list_node *bin, unsigned context, int source, int tag)
{
    for (list_node *node = bin->next; node != bin; node = node->next) {
        par_message *message = LIST_OF(node, par_message, by_key);

        if (fits(message, context, source, tag))
            return message;
    }
    return NULL;
}

static par_message *first_of_all(list_node *all, unsigned context, int source, int tag)
{
    for (list_node *node = all->next; node != all; node = node->next) {
        par_message *message = LIST_OF(node, par_message, by_age);

        if (fits(message, context, source, tag))
            return message;
    }
    return NULL;
}

par_message *match_find(match_table *table, wire_context context, int source, int tag)
{
    if (list_is_empty(&table->by_age[context]))
        return NULL;
    if (source == PAR_ANY_SOURCE || tag == PAR_ANY_TAG)
        return first_of_all(&table->by_age[context], context, source, tag);
    return first_in_bin(&table->messages[bin_of(context, source, tag)], context, source,
                        tag);
}

void match_take(par_message *message)
{
    list_remove(&message->by_key);
    list_remove(&message->by_age);
}

/* Nearly always the end of the list; a message that was put back goes before
 * those that came after it. */
static list_node *place_by_key(list_node *bin, uint64_t age)
{
    list_node *where = bin;

    while (where->prev != bin && LIST_OF(where->prev, par_message, by_key)->age > age)
        where = where->prev;
    return where;
}

static list_node *place_by_age(list_node *all, uint64_t age)
{
    list_node *where = all;

    while (where->prev != all && LIST_OF(where->prev, par_message, by_age)->age > age)
        where = where->prev;
    return where;
}

void match_keep(match_table *table, par_message *message)
{
    unsigned bin = bin_of(message->header.context, message->source, message->header.tag);

    list_insert(place_by_key(&table->messages[bin], message->age), &message->by_key);
    list_insert(place_by_age(&table->by_age[message->header.context], message->age),
                &message->by_age);
}

bool match_post(match_table *table, match_receive *receive)
{
    par_message *message =
        match_find(table, receive->context, receive->source, receive->tag);
    list_node *where = &table->wild_receives;

    if (message) {
        /* It leaves the table first: a message that is taken may be gone. */
        match_take(message);
        if (!receive->arrive(receive, message))
            match_keep(table, message);
        return false;
    }
    if (!is_wild(receive))
        where = &table->receives[bin_of(receive->context, receive->source, receive->tag)];
    receive->age = table->ages++;
    list_insert(where, &receive->node);
    return true;
}

void match_unpost(match_receive *receive)
{
    list_remove(&receive->node);
}

static list_node *list_of(match_table *table, int list)
{
    return list < MATCH_BINS ? &table->receives[list] : &table->wild_receives;
}

match_receive *match_next_receive(match_table *table, const match_receive *receive)
{
    const list_node *node = NULL;
    int list = 0;

    if (receive) {
        node = &receive->node;
        list = is_wild(receive)
                   ? MATCH_BINS
                   : (int)bin_of(receive->context, receive->source, receive->tag);
    }
    for (; list <= MATCH_BINS; list++, node = NULL) {
        list_node *head = list_of(table, list);

        node = node ? node->next : head->next;
        if (node != head)
            return LIST_OF(node, match_receive, node);
    }
    return NULL;
}

void match_age(match_table *table, par_message *message)
{
    message->age = table->ages++;
}

static match_receive *first_receive(list_node *head, const par_message *message)
{
    for (list_node *node = head->next; node != head; node = node->next) {
        match_receive *receive = LIST_OF(node, match_receive, node);

        if (fits(message, receive->context, receive->source, receive->tag))
            return receive;
    }
    return NULL;
}

static match_receive *oldest_receive(match_table *table, const par_message *message)
{
    unsigned bin = bin_of(message->header.context, message->source, message->header.tag);
    match_receive *exact = first_receive(&table->receives[bin], message);
    match_receive *wild = first_receive(&table->wild_receives, message);

    if (!exact || !wild)
        return exact ? exact : wild;
    return exact->age < wild->age ? exact : wild;
}

bool match_arrive(match_table *table, par_message *message)
{
    match_receive *receive;

    while ((receive = oldest_receive(table, message))) {
        match_unpost(receive);
        if (receive->arrive(receive, message))
            return true;
    }
    return false;
}

static par_message *before(list_node *all, const list_node *node)
{
    return node->prev == all ? NULL : LIST_OF(node->prev, par_message, by_age);
}

par_message *match_newest(match_table *table, wire_context context)
{
    return before(&table->by_age[context], &table->by_age[context]);
}

par_message *match_older(match_table *table, const par_message *message)
{
    return before(&table->by_age[message->header.context], &message->by_age);
}

par_message *match_pop(match_table *table)
{
    par_message *oldest = NULL;

    for (int i = 0; i < MATCH_CONTEXTS; i++) {
        list_node *all = &table->by_age[i];
        par_message *first = LIST_OF(all->next, par_message, by_age);

        if (!list_is_empty(all) && (!oldest || first->age < oldest->age))
            oldest = first;
    }
    if (oldest)
        match_take(oldest);
    return oldest;
}
