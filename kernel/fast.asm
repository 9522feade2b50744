; SPDX-License-Identifier: MIT
; The fast path: a call to a server that waits, the reply that goes on receiving, a page fault sent
; to a pager that waits, the reply that maps one page, and the ping of a task. The CPU goes straight
; from one thread to the other; no queue is touched, no frame of registers is saved but where a
; fault needs it. Every check stands before the first change; whatever it finds in its way, the
; C code does from the start (port.c), and means the same.
;
; Not here: handles in messages, more than 64 words, errors as replies, more than one map item,
; waiting callers, tracing, checking, a live FPU state (slow_flags).
        bits 32
%include "constants.inc"
        extern main_tss, gdt, tls_loaded, current_thread, kernel_stack_top, objects
        extern slow_flags, space_loaded, fault_tags
        extern kernel_call, entry_trap_user, entry_leave, entry_kernel_trap, port_map_one
        extern schedule, cpu, timer_slice_deadline, kinds_first, trap_check_due, invoke_trace

; esp is the end of the registers of the thread that entered, until SWITCH.
%define SELF(field) esp + field - REGISTERS_SIZE

; What the other task must not find is set anew: DF, TF, NT, AC, and the data segments.
%macro ENTER 0
        push dword EFLAGS_KERNEL
        popfd
        mov ds, [cs:data_selector]
        mov es, [cs:data_selector]
%endmacro

; The registers as they came, but for eax.
%macro STORE 0
        mov [SELF(REGISTERS_EBX)], ebx
        mov [SELF(REGISTERS_ESI)], esi
        mov [SELF(REGISTERS_EDI)], edi
        mov [SELF(REGISTERS_EBP)], ebp
%endmacro

; CPU time of the thread that stops (%1), and of the one that starts (%2). Changes eax, edx.
%macro ACCOUNT 2
        rdtsc
        add [%1 + THREAD_CYCLES], eax
        adc [%1 + THREAD_CYCLES + 4], edx
        sub [%2 + THREAD_CYCLES], eax
        sbb [%2 + THREAD_CYCLES + 4], edx
%endmacro

; Receive at the port of object edx, and let caller ecx go on: nothing fails from here on.
%macro TURN 0
        xor eax, eax
        mov [ecx + THREAD_SERVER], eax
        lea eax, [SELF(0)]
        mov [edx + OBJECT_RECEIVER], eax
        mov [SELF(THREAD_PORT)], edx
        xor dword [edx + OBJECT_KEY], KEY_CALL ^ KEY_RECEIVE
        mov word [SELF(THREAD_STATE)], THREAD_RECEIVING
        mov word [ecx + THREAD_STATE], THREAD_READY
        add dword [ecx + THREAD_TOKEN], TOKEN_STEP
        ACCOUNT esp - REGISTERS_SIZE, ecx
%endmacro

; The CPU is thread ecx's; %1 names this use. Changes edx.
%macro SWITCH 1
        lea edx, [ecx + REGISTERS_SIZE]
        mov [main_tss + TSS_ESP0], edx
        mov [current_thread], ecx
        inc dword [fast_switches]
        mov edx, [ecx + THREAD_DIRECTORY]
        mov cr3, edx
        mov edx, [ecx + THREAD_TLS_BASE]
        cmp edx, [tls_loaded]
        jne tls_%1
switch_%1:
        mov fs, [cs:null_selector]
        mov gs, [ecx + THREAD_GS]
%endmacro
; Its TLS base goes into the descriptor.
%macro TLS 1
tls_%1: mov [tls_loaded], edx
        mov [gdt + GDT_TLS * 8 + 2], dx
        shr edx, 16
        mov [gdt + GDT_TLS * 8 + 4], dl
        mov [gdt + GDT_TLS * 8 + 7], dh
        jmp switch_%1
%endmacro

        section .text

; sysenter: eax, ebx, esi, edi, ebp as abi/ipc.h says; ecx = user esp, edx = user eip.
; esp points at TSS.esp0.
        global entry_sysenter
entry_sysenter:
        mov esp, [esp]
        mov [SELF(REGISTERS_EIP)], edx
        mov [SELF(REGISTERS_ESP)], ecx
        mov dword [SELF(REGISTERS_VECTOR)], VECTOR_SYSENTER
        ENTER
        test al, 15
        jnz reply

; --- call ----------------------------------------------------------------------------------------
        cmp eax, HANDLES_SIZE
        jae slow_call
        mov edx, [SELF(THREAD_HANDLES)]
        mov esi, [edx + eax + HANDLE_OBJECT]
        mov ecx, [edx + eax + HANDLE_KEY]
        cmp ecx, [esi + OBJECT_KEY]
        jne object
        cmp bx, LABEL_SERVER
        jb slow_call
        cmp dword [slow_flags], 0
        jne slow_call
        mov ecx, [esi + OBJECT_RECEIVER]
        mov edx, [edx + eax + HANDLE_BADGE]
        mov [SELF(REGISTERS_EAX)], eax
        mov al, [ecx + THREAD_PRIORITY]
        cmp al, [SELF(THREAD_PRIORITY)]
        jb slow_refused
        mov eax, [ecx + THREAD_TASK]
        cmp eax, [SELF(THREAD_SERVED_BY)]
        jne slow_refused
        cmp ebx, 3 << TAG_WORDS_SHIFT
        jae call_words
call_deliver:
        xor dword [esi + OBJECT_KEY], KEY_CALL ^ KEY_RECEIVE
        mov [SELF(THREAD_SERVER)], eax
        mov word [SELF(THREAD_STATE)], THREAD_WAITING
        mov word [ecx + THREAD_STATE], THREAD_READY
        mov esi, edx
        ACCOUNT esp - REGISTERS_SIZE, ecx
        mov eax, ebx
        mov ebx, [SELF(THREAD_TOKEN)]
switch: SWITCH call
        mov edx, [ecx + REGISTERS_EIP]
        mov ecx, [ecx + REGISTERS_ESP]
        sti
        sysexit

; --- the slow path: all registers saved, nothing changed -----------------------------------------
; It stands where short jumps reach it from both sides.
slow_call:
        mov [SELF(REGISTERS_EAX)], eax
slow_refused:
        xor esi, esi
slow:   STORE
slow_stored:
        mov esp, kernel_stack_top
        call kernel_call
        jmp entry_leave

; --- messages to kernel objects ------------------------------------------------------------------
; A task answers a ping here, if all is well with it.
ping:   cmp word [esi + OBJECT_TYPE], OBJECT_TASK
        jne object_ask
        test byte [edx + eax + HANDLE_RIGHTS], RIGHT_CALL
        jz object_ask
        test byte [slow_flags], SLOW_TRACE | SLOW_CHECK
        jnz object_ask
        mov eax, ebx
        xor ebx, ebx
        xor esi, esi
        xor edi, edi
        xor ebp, ebp
        jmp return

; No receiver waits; or the handle names no port. What stands on the stack while the answer is
; called is struct invocation (invoke.h), in push order.
object: xor ecx, [esi + OBJECT_KEY]
        test ecx, KEY_GENERATION
        jnz slow_call
        cmp ebx, LABEL_task_ping
        je ping
object_ask:
        mov [SELF(REGISTERS_EAX)], eax
        add edx, eax
        movzx eax, bh
        cmp ax, [esi + OBJECT_TYPE]
        jne slow_refused
        mov eax, [kinds_first + eax * 4]
        mov ecx, ebx
        and ecx, MESSAGES_MAX - 1
        lea ecx, [ecx + ecx * 2]
        lea eax, [eax + ecx * KIND_THIRD]
        cmp ebx, [eax + KIND_ASKED]
        jne slow_refused
        mov ecx, [edx + HANDLE_RIGHTS]
        not ecx
        test ecx, [eax + KIND_RIGHTS]
        jnz slow_refused
        lea ecx, [SELF(0)]
        mov esp, kernel_stack_top - (TAG_WORDS_MAX - 2) * 4
        push ebp                        ; two words in
        push edi
        mov edi, ecx
        mov ebp, eax
        sub esp, (TAG_WORDS_MAX - 3) * 4
        push byte 0                     ; three words out
        push byte 0
        push byte 0
        push byte 0                     ; found
        push esi                        ; object
        push ebp                        ; kind
        push dword [edi + THREAD_BUFFER]
        push edx                        ; handle
        push dword [esi + OBJECT_BODY]
        mov esi, [edi + THREAD_TASK]
        push esi
        mov [space_loaded], esi
        push edi                        ; thread
        cmp ebx, 3 << TAG_WORDS_SHIFT
        jae object_in
object_answer:
        inc dword [fast_objects]
        test byte [slow_flags], SLOW_CHECK
        jnz object_check
object_checked:
        mov eax, esp
        lea edx, [esp + INVOKE_IN]
        lea ecx, [esp + INVOKE_OUT]
        call [ebp + KIND_ANSWER]
        test eax, eax
        jnz object_error
        mov eax, [ebp + KIND_ANSWERED]
        cmp eax, 4 << TAG_WORDS_SHIFT
        jae object_out
object_return:
        mov ebp, [esp + INVOKE_OUT + 4]
        mov ebx, [esp + INVOKE_OUT + 8]
        test byte [slow_flags], SLOW_TRACE | SLOW_SCHEDULE
        jnz object_schedule
        mov edx, [edi + REGISTERS_EIP]
        mov ecx, [edi + REGISTERS_ESP]
        mov edi, [esp + INVOKE_OUT]
        xor esi, esi
        sti
        sysexit

object_check:
        call trap_check_due
        jmp object_checked
object_in:
        mov edx, edi
        mov esi, [edi + THREAD_BUFFER]
        mov ecx, ebx
        shr ecx, TAG_WORDS_SHIFT
        sub ecx, 2
        add esi, 8
        lea edi, [esp + INVOKE_IN + 8]
        rep movsd
        mov edi, edx
        jmp object_answer
object_out:
        cmp edi, [current_thread]
        jne object_leave
        mov edx, edi
        mov edi, [edi + THREAD_BUFFER]
        mov ecx, eax
        shr ecx, TAG_WORDS_SHIFT
        sub ecx, 3
        add edi, 12
        lea esi, [esp + INVOKE_OUT + 12]
        rep movsd
        mov edi, edx
        jmp object_return
; It is refused: the words as they were.
object_error:
        neg eax
        mov ebx, [ebp + KIND_ASKED]
        mov ecx, [esp + INVOKE_IN]
        mov edx, [esp + INVOKE_IN + 4]
        jmp object_store
; The thread that asked may be stopped, or gone, or another one ready; or there is a trace.
object_schedule:
        mov ecx, [esp + INVOKE_OUT]
        mov edx, ebp
object_store:
        cmp edi, [current_thread]
        jne object_leave
        mov [edi + REGISTERS_EAX], eax
        mov [edi + REGISTERS_EBX], ebx
        mov dword [edi + REGISTERS_ESI], 0
        mov [edi + REGISTERS_EDI], ecx
        mov [edi + REGISTERS_EBP], edx
        mov edx, esp
        call invoke_trace
object_leave:
        call schedule
        jmp entry_leave

        TLS call

call_words:
        cmp ebx, (TAG_WORDS_MAX + 1) << TAG_WORDS_SHIFT  ; with any other bit it is larger, too
        jae slow_refused
        mov esp, kernel_stack_top
        call words
        mov esp, [main_tss + TSS_ESP0]
        jmp call_deliver

; Copy all words but two of a message with tag ebx from the running thread's buffer to thread ecx's.
words:  pushad
        mov edi, [ecx + THREAD_BUFFER]
        mov esi, [current_thread]
        mov esi, [esi + THREAD_BUFFER]
        mov ecx, ebx
        shr ecx, TAG_WORDS_SHIFT
        sub ecx, 2
        add esi, 8
        add edi, 8
        rep movsd
        popad
        ret

; --- reply and receive ---------------------------------------------------------------------------
reply_slow:                             ; where short jumps reach it
        jmp slow
reply:  mov [SELF(REGISTERS_EAX)], eax
        lea ecx, [eax - OP_REPLY_RECEIVE]
        test cl, 15
        jnz signal
        cmp ecx, HANDLES_SIZE
        jae reply_slow
        mov edx, [SELF(THREAD_HANDLES)]
        mov eax, [edx + ecx + HANDLE_KEY]
        mov edx, [edx + ecx + HANDLE_OBJECT]
        sub eax, KEY_RECEIVE_HANDLE - KEY_RECEIVE
        cmp eax, [edx + OBJECT_KEY]
        jne reply_slow
        mov al, [SELF(THREAD_PRIORITY)]
        cmp al, [edx + OBJECT_RANK]
        jne reply_slow
        mov ecx, ebx
        and ecx, [objects + OBJECTS_MASK]
        shl ecx, OBJECT_SHIFT
        add ecx, [objects + OBJECTS_TABLE]
        mov ecx, [ecx + OBJECT_THREAD_BODY]
        cmp ebx, [ecx + THREAD_TOKEN]
        jne reply_slow
; Others may want the CPU.
        cmp dword [SELF(THREAD_PENDING)], 0
        jne reply_slow
        cmp dword [slow_flags], 0
        jne reply_slow
        mov eax, [ecx + THREAD_TASK]
        cmp eax, [cpu + CPU_FAST]
        jne reply_slow
        mov al, [ecx + THREAD_PRIORITY]
        cmp al, [cpu + CPU_HIGHEST]
        jb reply_slow
        mov eax, [SELF(THREAD_TASK)]
        sub eax, [ecx + THREAD_SERVER]
        jnz reply_fault
        cmp esi, 3 << TAG_WORDS_SHIFT
        jae reply_words
reply_deliver:
        TURN
        mov eax, esi
        jmp switch

reply_words:
        cmp esi, (TAG_WORDS_MAX + 1) << TAG_WORDS_SHIFT
        jae reply_slow
        mov ebx, esi
        mov esp, kernel_stack_top
        call words
        mov esp, [main_tss + TSS_ESP0]
        mov eax, [SELF(THREAD_BUFFER)]
        mov ebx, [eax + 8]              ; the third word
        jmp reply_deliver

; A fault that waits for this task (its server word is one more): map the page if there is one, go on.
reply_fault:
        inc eax
        jnz slow
        mov eax, esi
        shr eax, TAG_WORDS_SHIFT
        jz fault_turn
        cmp eax, 1 << (TAG_ITEMS_SHIFT - TAG_WORDS_SHIFT)
        jne slow
        STORE
        mov eax, [SELF(THREAD_TASK)]
        mov ebx, ecx
        mov esi, edx
        mov esp, kernel_stack_top
        mov [space_loaded], eax
        push ebp
        mov edx, [eax + TASK_POOL]
        mov eax, [ecx + THREAD_TASK]
        mov ecx, edi
        call port_map_one
        mov esp, [main_tss + TSS_ESP0]
        test eax, eax
        jnz slow_stored
        mov ecx, ebx
        mov edx, esi
fault_turn:
        TURN
        SWITCH fault
        mov esp, ecx
        popad
        add esp, 8
        iretd
        TLS fault

; --- signal --------------------------------------------------------------------------------------
; The bits are kept for the event's thread, or it gets them and the CPU at once.
signal_slow:                            ; as reply_slow
        jmp slow
signal: dec ecx
        test cl, 15
        jnz signal_slow
        cmp ecx, HANDLES_SIZE
        jae signal_slow
        cmp dword [slow_flags], 0
        jne signal_slow
        add ecx, [SELF(THREAD_HANDLES)]
        mov edx, [ecx + HANDLE_OBJECT]
        mov eax, [ecx + HANDLE_KEY]
        xor eax, [edx + OBJECT_KEY]
        test eax, KEY_GENERATION
        jnz signal_slow
        cmp word [edx + OBJECT_TYPE], OBJECT_EVENT
        jne signal_slow
        test byte [ecx + HANDLE_RIGHTS], RIGHT_SIGNAL
        jz signal_slow
        mov eax, [edx + OBJECT_BODY]
        mov edx, [eax + EVENT_BITS]
        or edx, [ecx + HANDLE_BADGE]
        mov ecx, [eax + EVENT_THREAD]
        jecxz signal_keep
        cmp byte [ecx + THREAD_STATE], THREAD_RECEIVING
        je signal_wake
        mov [ecx + THREAD_PENDING], edx
signal_keep:
        mov [eax + EVENT_BITS], edx
        xor eax, eax
return: inc dword [fast_returns]
        mov edx, [SELF(REGISTERS_EIP)]
        mov ecx, [SELF(REGISTERS_ESP)]
        sti
        sysexit

; It waits, for more than this event perhaps. It goes first if its priority is higher, and then spends
; its own task's time: schedule.c says how, this is what remains of it when that has some left in
; this round, and an interrupt comes before it is used up.
signal_wake:
        test edx, edx
        jz signal_slow
        cmp dword [ecx + THREAD_QUEUE], 0
        jne signal_slow
        mov [saved], eax
        mov al, [SELF(THREAD_PRIORITY)]
        cmp al, [ecx + THREAD_PRIORITY]
        jae signal_slow
        mov [saved + 4], edx
        STORE
        mov esi, [cpu + CPU_FAST]
        test esi, esi
        jz signal_refused
        mov ebx, [ecx + THREAD_TASK]
        mov eax, [cpu + CPU_ROUND]
        cmp eax, [ebx + TASK_OVER]
        je signal_refused
        cmp eax, [ebx + TASK_ROUND]
        jne signal_refused
        cmp byte [cpu + CPU_CONTENDED], 0
        je signal_time
        cmp eax, [esi + TASK_ROUND]
        jne signal_refused
signal_time:
        rdtsc
        mov edi, eax
        mov ebp, edx
        add eax, [ebx + TASK_LEFT]
        adc edx, [ebx + TASK_LEFT + 4]
        sub eax, [timer_slice_deadline]
        sbb edx, [timer_slice_deadline + 4]
        jnc signal_pay
signal_refused:
        jmp slow_stored

; Nothing fails from here on. The payer is charged ...
signal_pay:
        mov eax, edi
        mov edx, ebp
        sub eax, [cpu + CPU_CHARGED_AT]
        sbb edx, [cpu + CPU_CHARGED_AT + 4]
        add [esi + TASK_BILLED], eax
        adc [esi + TASK_BILLED + 4], edx
        cmp byte [cpu + CPU_CONTENDED], 0
        jne signal_charge
        mov byte [cpu + CPU_CONTENDED], 1
signal_charged:
        mov [cpu + CPU_CHARGED_AT], edi
        mov [cpu + CPU_CHARGED_AT + 4], ebp
        add [SELF(THREAD_CYCLES)], edi
        adc [SELF(THREAD_CYCLES + 4)], ebp
        sub [ecx + THREAD_CYCLES], edi
        sbb [ecx + THREAD_CYCLES + 4], ebp
; ... the running thread keeps it, and becomes the first that is ready of its priority ...
        mov edx, [esi + TASK_OBJECT]
        mov [SELF(THREAD_PAYER)], edx
        mov edx, [edx + OBJECT_KEY]
        and edx, KEY_GENERATION
        mov [SELF(THREAD_PAYER_GENERATION)], edx
        movzx eax, byte [SELF(THREAD_PRIORITY)]
        mov [cpu + CPU_HIGHEST], al
        bts [cpu + CPU_READY], eax
        shl eax, QUEUE_SHIFT
        add eax, [cpu + CPU_QUEUE]
        lea esi, [SELF(0)]
        mov [esi + THREAD_QUEUE], eax
        mov edx, [eax + QUEUE_FIRST]
        mov [esi + THREAD_NEXT], edx
        mov [eax + QUEUE_FIRST], esi
        test edx, edx
        jnz signal_queued
        lea edx, [eax + QUEUE_LAST - THREAD_PREVIOUS]
signal_queued:
        mov [edx + THREAD_PREVIOUS], esi
        xor eax, eax
        mov [esi + THREAD_PREVIOUS], eax
        mov [esi + REGISTERS_EAX], eax
; ... and the other one has the bits, and pays for itself.
        mov [ecx + THREAD_PAYER], eax
        mov [cpu + CPU_ON_ACCOUNT], eax
        mov [cpu + CPU_ON_ACCOUNT + 4], eax
        mov [cpu + CPU_PAYER], ebx
        mov [cpu + CPU_FAST], ebx
        mov edx, [saved]
        mov [edx + EVENT_BITS], eax
        mov word [ecx + THREAD_STATE], THREAD_READY
        mov edx, [ecx + THREAD_PORT]
        test edx, edx
        jz signal_switch
        xor dword [edx + OBJECT_KEY], KEY_CALL ^ KEY_RECEIVE
        mov [ecx + THREAD_PORT], eax
signal_switch:
        mov eax, LABEL_EVENT
        xor ebx, ebx
        xor esi, esi
        mov edi, [saved + 4]
        xor ebp, ebp
        jmp switch

signal_charge:
        sub [esi + TASK_LEFT], eax
        sbb [esi + TASK_LEFT + 4], edx
        mov eax, [esi + TASK_LEFT]
        mov edx, [esi + TASK_LEFT + 4]
        sub eax, 1
        sbb edx, 0
        jns signal_charged
        mov eax, [cpu + CPU_ROUND]
        mov [esi + TASK_OVER], eax
        jmp signal_charged

; --- page fault ----------------------------------------------------------------------------------
; The CPU has pushed its frame and an error code.
slow_fault:
        jmp entry_trap_user
        global entry_page_fault
entry_page_fault:
        push dword VECTOR_PAGE_FAULT
        ENTER
        pushad
        test byte [esp + REGISTERS_CS], 3
        jz entry_kernel_trap
        cmp dword [slow_flags], 0
        jne slow_fault
        mov ebx, [esp + THREAD_TASK]
        mov esi, [ebx + TASK_FAULT_PORT]
        mov ecx, [ebx + TASK_FAULT_GENERATION]
        or ecx, KEY_CALL
        cmp ecx, [esi + OBJECT_KEY]
        jne slow_fault
        mov ecx, [esi + OBJECT_RECEIVER]
        mov al, [ecx + THREAD_PRIORITY]
        cmp al, [esp + THREAD_PRIORITY]
        jb slow_fault
        mov edx, [ecx + THREAD_TASK]
        cmp edx, [esp + THREAD_SERVED_BY]
        jne slow_fault
        xor dword [esi + OBJECT_KEY], KEY_CALL ^ KEY_RECEIVE
        inc edx
        mov [esp + THREAD_SERVER], edx
        mov word [esp + THREAD_STATE], THREAD_WAITING | THREAD_FAULTED << 8
        mov word [ecx + THREAD_STATE], THREAD_READY
        ACCOUNT esp, ecx
        mov esi, [ebx + TASK_FAULT_BADGE]
        mov edi, cr2
        mov ebp, [esp + REGISTERS_EIP]
        mov ebx, [esp + THREAD_TOKEN]
        mov eax, [esp + REGISTERS_ERROR]
        and eax, 31
        mov eax, [fault_tags + eax * 4]
        jmp switch

        section .rodata
data_selector:
        dw SELECTOR_USER_DATA
null_selector:
        dw 0

        section .bss
        global fast_switches, fast_returns, fast_objects
fast_switches:
        resd 1                          ; entries that loaded CR3 and left to another thread
fast_returns:
        resd 1                          ; entries that came back to the same thread
fast_objects:
        resd 1                          ; entries that had a kernel object answer
saved:  resd 3

        section .note.GNU-stack noalloc noexec nowrite progbits
