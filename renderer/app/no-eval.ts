import { z } from 'zod';

// The content security policy forbids compiling code at run time, which zod would otherwise try. Schemas read this
// when they are made, so this module must be the first that is imported.
z.config({ jitless: true });
