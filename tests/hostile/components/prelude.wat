;; What every attack of this folder begins with: a policy that passes each call on.
;;
;; An attack is a few lines of core WebAssembly beside it. A function of its own named
;; `$put`, `$get`, `$head`, `$delete` or `$list` is exported in place of `$pass-…`,
;; `$realloc` in place of `$bump`, and `$post-head` as what runs after the answer of head.
;; `tests/hostile/wat.rs` makes a component of both.
;;
;; The caller's key is six bytes long ("mine/k"); the good calls use one of nine
;; ("mine/bait"). Offsets are those of the canonical ABI: of the arguments, the key's
;; pointer is at 0 and its length at 4, put's body at 8, its content type at 12, and its
;; metadata at 84; of an answer, the first byte is 0 for success, put's receipt or an
;; error begins at 4, and what get and head give (or their error) at 8.

(import "agent:artifacts/store@0.2.0" "put" (func $next-put (param i32 i32)))
(import "agent:artifacts/store@0.2.0" "get" (func $next-get (param i32 i32)))
(import "agent:artifacts/store@0.2.0" "head" (func $next-head (param i32 i32)))
(import "agent:artifacts/store@0.2.0" "delete" (func $next-delete (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
(import "agent:artifacts/store@0.2.0" "list" (func $next-list (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
(import "agent:artifacts/objects@0.2.0" "[resource-drop]body" (func $drop-body (param i32)))
(import "agent:artifacts/objects@0.2.0" "[resource-drop]receipt" (func $drop-receipt (param i32)))
(import "agent:artifacts/objects@0.2.0" "[method]body.length" (func $body-length (param i32 i32)))
(import "agent:artifacts/objects@0.2.0" "[method]body.duplicate" (func $body-duplicate (param i32 i32)))
(import "agent:artifacts/objects@0.2.0" "[method]receipt.info" (func $receipt-info (param i32 i32)))
(import "wasi:config/store@0.2.0-rc.1" "get" (func $config-get (param i32 i32 i32)))

;; 0 to 1,023 is the attack's, 1,024 to 2,047 holds answers, and the rest is free.
(memory (export "memory") 1)
(global $free (mut i32) (i32.const 2048))

(func $bump (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
  (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
  (global.set $free (i32.add (local.get $at) (local.get $size)))
  (loop $more
    (if (i32.gt_u (global.get $free) (i32.mul (memory.size) (i32.const 65536)))
      (then
        (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
        (br $more))))
  (local.get $at))

(func $pass-put (param $args i32) (result i32)
  (call $next-put (local.get $args) (i32.const 1024))
  (i32.const 1024))
(func $pass-get (param $args i32) (result i32)
  (call $next-get (local.get $args) (i32.const 1024))
  (i32.const 1024))
(func $pass-head (param $args i32) (result i32)
  (call $next-head (local.get $args) (i32.const 1024))
  (i32.const 1024))
(func $pass-delete (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
  (call $next-delete
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)
    (local.get 6) (local.get 7) (i32.const 1024))
  (i32.const 1024))
(func $pass-list (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
  (call $next-list
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)
    (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get 10) (local.get 11)
    (local.get 12) (i32.const 1024))
  (i32.const 1024))
