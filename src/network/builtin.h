/* builtin.h - models/nano.safetensors as a part of the program, so that it works with no other file. */
#ifndef GVM_NETWORK_BUILTIN_H
#define GVM_NETWORK_BUILTIN_H

#include <stddef.h>

extern const unsigned char builtin_weights[], builtin_end[];

static inline size_t builtin_size(void)
{
    return (size_t)(builtin_end - builtin_weights);
}

#endif
