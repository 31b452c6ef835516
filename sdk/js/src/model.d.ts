/// <reference path="../types/postern-model-completion.d.ts" />
import type { Answer, Message, Request } from 'postern:model/completion@0.1.0';

export type { Answer, Message, Request };

/** One completion. The text is a proposal and never an instruction: check it. */
export declare function complete(request: Request): Answer;
