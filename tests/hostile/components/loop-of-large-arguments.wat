;; Hands the host four megabytes in each of its calls: the host copies and checks them, at
;; no cost to the component.
(func $head (param i32) (result i32)
  (drop (memory.grow (i32.const 80)))
  (loop (call $config-get (i32.const 4096) (i32.const 4000000) (i32.const 1024)) (br 0))
  unreachable)
