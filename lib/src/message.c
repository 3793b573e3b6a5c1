/* message.c - a message that has arrived.
 * SPDX-License-Identifier: MIT */
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slot.h"
#include "type.h"

par_message *message_new(size_t bytes)
{
    par_message *message = malloc(sizeof *message + bytes);

    if (message)
        *message = (par_message){.in_slot = false};
    return message;
}

void message_open(par_message *message, unsigned char *follows)
{
    const wire_header *header = &message->header;

    message->meta = message->body = NULL;
    message->relay = NULL;
    message->behalf = 0;
    if (header->meta_bytes && !header->meta_apart) {
        message->meta = follows;
        follows += header->meta_bytes;
    }
    if (header->bytes && !header->body_apart)
        message->body = follows;
}

par_message *message_copy(const par_message *message)
{
    size_t meta = message->meta ? message->header.meta_bytes : 0;
    size_t body = message->body ? (size_t)message->header.bytes : 0;
    par_message *copy = message_new(meta + body);

    if (!copy)
        return NULL;
    copy->age = message->age;
    copy->comm = message->comm;
    copy->source = message->source;
    copy->header = message->header;
    message_open(copy, message_bytes(copy));
    if (meta)
        memcpy(copy->meta, message->meta, meta);
    if (body)
        memcpy(copy->body, message->body, body);
    return copy;
}

void message_drop(par_message *message)
{
    free(message->meta_apart);
    par_free(message->fetched);
    message->meta_apart = message->fetched = NULL;
    if (message->in_slot)
        slot_give(slot_of(message));
    else
        free(message);
}

void message_describe(uint8_t kind, uint8_t type, uint64_t bytes, char *text, size_t size)
{
    if (kind == PAR_OBJECT)
        snprintf(text, size, "an object of %llu bytes", (unsigned long long)bytes);
    else
        snprintf(text, size, "%llu %s",
                 (unsigned long long)(bytes >> type_shift((par_type)type)),
                 par_type_name((par_type)type));
}

par_status message_status(const par_message *message)
{
    const wire_header *header = &message->header;
    par_type type = header->kind == PAR_ARRAY ? (par_type)header->type : PAR_OPAQUE;

    return (par_status){
        .source = message->behalf ? message->behalf - 1 : message->source,
        .tag = header->tag,
        .type = type,
        .count = (size_t)(header->bytes >> type_shift(type)),
    };
}

void par_message_content(const par_message *message, par_content *content,
                         par_status *status)
{
    const wire_header *header = &message->header;
    wire_meta meta;

    /* It has been checked when it came. */
    wire_get_meta(message->meta, header, &meta);
    *content = (par_content){
        .kind = (par_kind)header->kind,
        .type = header->type,
        .variant = header->variant,
        .dims = header->dims,
        .shape = meta.shape,
        .extra = meta.extra,
        .extra_bytes = meta.extra_bytes,
        .bytes = header->bytes,
        .part_bytes = meta.part_bytes,
        .part_count = meta.part_count,
    };
    if (!status)
        return;
    *status = message_status(message);
    if (header->context != WIRE_P2P)
        status->tag = PAR_ANY_TAG;
}

const void *par_message_body(const par_message *message)
{
    return message->body;
}

par_part *message_parts(const par_message *message, void *room, size_t *count_p)
{
    par_content content;
    par_part *parts;
    char *at = room;

    par_message_content(message, &content, NULL);
    parts = malloc(content.part_count * sizeof *parts);
    for (size_t i = 0; parts && i < content.part_count; i++) {
        parts[i].data = at;
        parts[i].bytes = content.part_bytes ? content.part_bytes[i] : content.bytes;
        at += parts[i].bytes;
    }
    *count_p = content.part_count;
    return parts;
}
