;; What is stored stays: nothing is written over, and nothing is deleted.
;;
;; The canonical ABI lays the parameters of an exported function out just as those of the
;; imported one of the same type, handles included. So a call is passed on as it came in,
;; and where there are more than 16 values, it is one pointer.
(module
  (import "agent:artifacts/store@0.2.0" "put" (func $next_put (param i32 i32)))
  (import "agent:artifacts/store@0.2.0" "get" (func $next_get (param i32 i32)))
  (import "agent:artifacts/store@0.2.0" "head" (func $next_head (param i32 i32)))
  (import "agent:artifacts/store@0.2.0" "list" (func $next_list
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))

  (memory (export "memory") 1)

  ;; Where every call leaves its result. The largest is of `get`, with 160 bytes.
  (global $result i32 (i32.const 0))

  (data $no_overwrite (i32.const 512) "artifacts are written once: a put over another is refused")
  (data $no_delete (i32.const 640) "artifacts are written once: delete is refused")

  ;; What comes in is put from here on, and never freed: the instance ends with the call.
  (global $free (mut i32) (i32.const 1024))

  ;; `result::err` with an `error` of these words.
  (func $refuse (param $words i32) (param $length i32) (result i32)
    (i32.store8 offset=0 (global.get $result) (i32.const 1))
    (i32.store8 offset=4 (global.get $result) (i32.const 6)) ;; code: policy-denied
    (i32.store offset=8 (global.get $result) (local.get $words))
    (i32.store offset=12 (global.get $result) (local.get $length))
    (i32.store8 offset=16 (global.get $result) (i32.const 0)) ;; retryable: false
    (i32.store8 offset=20 (global.get $result) (i32.const 0)) ;; cause: none
    (global.get $result))

  ;; Parameters: key at 0, body at 8, options from 12. In these, the condition is at 88:
  ;; 0 is `unconditional`, 1 `if-absent`, 2 `if-match`.
  (func (export "agent:artifacts/store@0.2.0#put") (param $call i32) (result i32)
    (if (i32.eq (i32.load8_u offset=100 (local.get $call)) (i32.const 2))
      (then (return (call $refuse (i32.const 512) (i32.const 57)))))
    (i32.store8 offset=100 (local.get $call) (i32.const 1))
    (call $next_put (local.get $call) (global.get $result))
    (global.get $result))

  (func (export "agent:artifacts/store@0.2.0#get") (param $call i32) (result i32)
    (call $next_get (local.get $call) (global.get $result))
    (global.get $result))

  (func (export "agent:artifacts/store@0.2.0#head") (param $call i32) (result i32)
    (call $next_head (local.get $call) (global.get $result))
    (global.get $result))

  (func (export "agent:artifacts/store@0.2.0#delete")
    (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $refuse (i32.const 640) (i32.const 45)))

  (func (export "agent:artifacts/store@0.2.0#list")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $next_list
      (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)
      (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get 10) (local.get 11)
      (local.get 12) (global.get $result))
    (global.get $result))

  ;; Room for what the host brings in: the next free bytes, and more memory for them.
  (func (export "cabi_realloc")
    (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.sub (i32.add (global.get $free) (local.get $align)) (i32.const 1))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (block $enough
      (loop $more
        (br_if $enough
          (i32.le_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
        unreachable))
    (memory.copy (local.get $at) (local.get $old) (local.get $old_size))
    (local.get $at)))
