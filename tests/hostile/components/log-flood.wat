;; Writes 10,000 records.
(import "agent:artifacts/log@0.2.0" "write" (func $log (param i32 i32 i32 i32 i32)))
(data (i32.const 16) "look: \1b[2J\r\nERROR the disk is full")
(func $head (param $args i32) (result i32)
  (local $left i32)
  (local.set $left (i32.const 10000))
  (loop
    (call $log (i32.const 0) (i32.const 16) (i32.const 34) (i32.const 0) (i32.const 0))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if 0 (local.get $left)))
  (call $pass-head (local.get $args)))
