;; Looks through memory that it never wrote to for what an earlier call left there. For
;; the caller's key it fills its own with secrets first, for the next one to find.
(func $head (param $args i32) (result i32)
  (local $at i32)
  (drop (memory.grow (i32.const 200)))
  (if (i32.eq (i32.load offset=4 (local.get $args)) (i32.const 6))
    (then
      (memory.fill (i32.const 65536) (i32.const 83) (i32.const 13107200))
      unreachable))
  (local.set $at (i32.const 65536))
  (loop
    (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
    (local.set $at (i32.add (local.get $at) (i32.const 4096)))
    (br_if 0 (i32.lt_u (local.get $at) (i32.const 13172736))))
  (call $pass-head (local.get $args)))
